//! Acting on the login, and the ding that proves a living connection.

use wechaty_puppet::{EventPayload, LoginAnswer, SayablePayload};

use crate::conformance::{
    case::{Verdict, cases, ensure, failed, group},
    lab::Lab,
};

cases! { CASES = Login:
    a_logout_is_told_and_ends_sending [Logout, SendText];
    an_answer_to_no_question_does_not_hang [VerifyCode];
}

cases! { DING = Ding:
    a_ding_comes_back_as_a_dong_with_its_data [Ding];
    each_ding_has_its_dong [Ding];
}

async fn a_logout_is_told_and_ends_sending(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let (mark, me, to) = (lab.mark(), session.me(), lab.direct()?);
    lab.ok("logging out", group!(session, login).logout(Some("conformance"))).await?;
    let who = session.event("the logout event", mark, |entry| match &entry.event.what {
        EventPayload::Logout(logout) => Some(logout.contact_id.clone()),
        _ => None,
    });
    let who = who.await?;
    ensure!(Some(&who) == me.as_ref(), "{me:?} logged out, but the event names {who}");
    let out = lab.out(&to, SayablePayload::text("too late"));
    let error = lab.err("a send after the logout", session.puppet.send(out)).await?;
    ensure!(error.is_certain(), "a send after the logout ended in doubt: {error}");
    ensure!(lab.received(&to).await?.is_empty(), "a send after the logout was refused, but arrived");
    Ok(())
}

async fn an_answer_to_no_question_does_not_hang(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let answer = LoginAnswer::Code { id: "no such question".into(), code: "000000".into() };
    let _ = lab.bounded("login().answer", group!(session, login).answer(answer)).await?;
    lab.silence().await;
    match session.ended() {
        None => Ok(()),
        Some(ended) => failed(format!("an answer to no question ended the login: {}", ended.words())),
    }
}

async fn dong(lab: &Lab, data: Option<String>) -> Verdict {
    let session = lab.connect().await?;
    let mark = lab.mark();
    lab.ok("ding", session.puppet.ding(data.clone())).await?;
    let dong = session.event("the dong event", mark, |entry| match &entry.event.what {
        EventPayload::Dong(dong) => Some(dong.data.clone()),
        _ => None,
    });
    let got = dong.await?;
    ensure!(got == data, "ding said {data:?}, but dong {got:?}");
    Ok(())
}

async fn a_ding_comes_back_as_a_dong_with_its_data(lab: &Lab) -> Verdict {
    dong(lab, Some(lab.text("丁 \"ding\""))).await?;
    dong(lab, None).await
}

async fn each_ding_has_its_dong(lab: &Lab) -> Verdict {
    let session = lab.connect().await?;
    let mark = lab.mark();
    let sent: Vec<_> = (0..3).map(|_| lab.text("ding")).collect();
    for data in &sent {
        lab.ok("ding", session.puppet.ding(Some(data.clone()))).await?;
    }
    for data in &sent {
        let dong = session.event("the dong of each ding", mark, |entry| match &entry.event.what {
            EventPayload::Dong(dong) => (dong.data.as_ref() == Some(data)).then_some(()),
            _ => None,
        });
        dong.await?;
    }
    Ok(())
}
