//! `wechaty gateway`: the accounts of a bot, each served to a Wechaty SDK of whatever language.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::task::JoinSet;
use tower_layer::Layer;
use wechaty::{Bot, BotBuilder, BuildError, Clock};
use wechaty_catalogue::{Args, Lang, text};
use wechaty_config::{Doors, Env};
use wechaty_gateway::{
    Calls, Tenant, TenantOptions,
    auth::Auth,
    connect::{Door, Encryption},
    keys::Keys,
    listen::{self, ListenSettings, Listening},
    tls::{self, Authority, OwnCertificate, Renewal, Standing, Tls},
};
use wechaty_grpc::token;
use wechaty_puppet::{CancellationToken, task};

use crate::{
    args::{ClockKind, GatewayArgs, ListenAddr, RunArgs},
    control::{self, Control, Place},
    failure::Failure,
    limits, output,
    run::{logins, plan::Plan, record::Recorder},
    scratch::Scratch,
    store,
};

/// The server name of tokens that nobody chose.
const INSECURE: &str = "insecure";
/// How long the key of a client's send is known. The store remembers the last 65,536 of an account, for a day at most: so many
/// are 18 a second for so long, more than a messenger takes.
const KEYS: Duration = Duration::from_secs(3600);
/// Who asks for no TLS by environment says exactly this.
const TRUE: &str = "true";

pub(crate) fn run(args: GatewayArgs, lang: Lang) -> Result<(), Failure> {
    limits::raise_files();
    let port = port(&args, |name| std::env::var(name).ok())?;
    let folder = args.bot.as_deref().and_then(Path::parent).unwrap_or(Path::new("."));
    let env = Env::system().with_folder(folder).0;
    let Plan { builder, place, reads, doors, .. } = Plan::bare(&as_run(&args), lang)?;
    let builder = logins::tell(builder, lang);
    Recorder::may_write(args.record.as_deref(), &reads)?;
    let token = args.token.clone().or_else(|| env.get("WECHATY_TOKEN"));
    if token.as_deref().is_some_and(|token| token::server_name(token).is_none()) {
        // TypeScript and Go do not start with it by itself; the others do.
        output::tell(&text(lang, "gateway-token-name", &Args::new()));
    }
    let secured = secured(&args, &env)?;
    let control = control::claimed(place.as_ref(), lang)?;
    let (builder, recorder) = Recorder::begin(args.record.as_deref(), builder)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::failed("W109").source(&error))?;
    let files = Scratch::new("gateway").map_err(|error| Failure::failed("W109").source(&error))?;
    // What forgets its sends with the process cannot know their keys.
    let keys = if place.is_some() { Keys::known_for(KEYS) } else { Keys::NONE };
    let gateway = Gateway { args, port, token, doors, keys, secured, files: files.path().to_owned(), lang };
    runtime.block_on(gateway.serve(builder, control.as_ref(), place.as_ref()))?;
    runtime.shutdown_background();
    recorder.map_or(Ok(()), Recorder::finish)
}

/// The port that is asked for, by `--port` or in `--listen`.
fn port(args: &GatewayArgs, env: impl Fn(&str) -> Option<String>) -> Result<Option<u16>, Failure> {
    let listen = args.listen.filter(|listen| listen.names_a_port()).map(|listen| listen.address());
    let (Some(port), Some(address)) = (args.port, listen) else { return Ok(args.port.or(listen.map(|at| at.port()))) };
    let is_of_env = || env("WECHATY_PUPPET_SERVER_PORT").is_some_and(|text| text.trim().parse() == Ok(port));
    if port == address.port() || is_of_env() {
        // A flag comes before the environment.
        return Ok(Some(address.port()));
    }
    Err(Failure::usage("W225").set("port", port.to_string()).set("listen", address.to_string()))
}

/// What `wechaty run` takes of the same arguments.
fn as_run(args: &GatewayArgs) -> RunArgs {
    RunArgs {
        bot: args.bot.clone(),
        puppet: args.puppet.clone(),
        listen: None,
        store: args.store.clone(),
        world: args.world.clone(),
        clock: ClockKind::System,
        record: args.record.clone(),
        api: false,
        json: false,
        no_doors: true,
    }
}

/// How connections are kept from being read by others.
enum Secured {
    /// They are not.
    Not,
    /// By certificates of this host's authority, which clients have to know.
    ByAuthority { tls: Box<Tls>, certificate: PathBuf },
    /// By a certificate of the operator's own; its files may change.
    ByCertificate { tls: Box<Tls>, renewal: Option<Renewal>, standing: Standing },
}

fn secured(args: &GatewayArgs, env: &Env) -> Result<Secured, Failure> {
    let failed = |error: tls::TlsError| Failure::failed("W221").source(&error);
    if args.no_tls || env.get("WECHATY_PUPPET_SERVICE_NO_TLS_INSECURE_SERVER").is_some_and(|value| value == TRUE) {
        return Ok(Secured::Not);
    }
    let (by_env, clients) = tls::from_env(|name| env.get(name)).map_err(failed)?;
    let own = match (&args.tls_cert, &args.tls_key) {
        (Some(certificate), Some(key)) => Some(OwnCertificate::from_files(certificate, key).map_err(failed)?),
        _ => by_env,
    };
    let clock = Clock::system();
    if let Some(own) = own {
        let (tls, renewal) = match (&args.tls_cert, &args.tls_key) {
            (Some(certificate), Some(key)) => {
                let (tls, renewal) = Tls::of_files(&own, certificate, key, clients).map_err(failed)?;
                (tls, Some(renewal))
            }
            _ => (Tls::of_certificate(&own, clients).map_err(failed)?, None),
        };
        let standing = own.standing(clock.wall());
        return Ok(Secured::ByCertificate { tls: Box::new(tls), renewal, standing });
    }
    let authority = Authority::open(authority_folder(env)?, &clock).map_err(failed)?;
    let certificate = authority.certificate_path();
    let tls = Tls::of_authority(authority, clients, &clock).map_err(failed)?;
    Ok(Secured::ByAuthority { tls: Box::new(tls), certificate })
}

/// Where this host's authority lies: one for all gateways of a user.
fn authority_folder(env: &Env) -> Result<PathBuf, Failure> {
    let home = env.get("HOME").or_else(|| env.get("USERPROFILE")).filter(|home| !home.is_empty());
    let home = home.ok_or_else(|| Failure::usage("W222"))?;
    Ok(Path::new(&home).join(".wechaty").join("gateway-ca"))
}

struct Gateway {
    args: GatewayArgs,
    /// The one that was asked for.
    port: Option<u16>,
    /// The one that was given for the only account.
    token: Option<String>,
    doors: Doors,
    keys: Keys,
    secured: Secured,
    files: PathBuf,
    lang: Lang,
}

impl Gateway {
    async fn serve(
        mut self,
        builder: BotBuilder,
        control: Option<&Control>,
        place: Option<&Place>,
    ) -> Result<(), Failure> {
        let not_built = |error: wechaty::Error| match &error {
            wechaty::Error::Build(BuildError::Store(error)) => store::failure(error),
            error => Failure::failed("W109").source(error),
        };
        let bot = builder.build().map_err(not_built)?;
        let tokens = self.tokens(&bot)?;
        let _answers = control.map(|control| control.serve(&bot)).transpose()?;
        let tenants = Tenant::all(&bot, &self.bounds()).map_err(not_built)?;
        let stop = CancellationToken::new();
        let mut work = JoinSet::new();
        self.certified(&mut work, bot.clock());
        let listening = self.listen(&tenants, &tokens, bot.clock(), &stop).await?;
        for tenant in &tenants {
            let (beating, back) = (tenant.clone(), tenant.clone());
            work.spawn(task::work(async move { beating.beat().await }));
            if place.is_some() {
                // Clients that only open their stream again find it as it was.
                work.spawn(task::work(async move { back.resume().await }));
            }
        }
        wechaty::until_signal().await;
        tracing::info!("stopping");
        work.abort_all();
        for tenant in &tenants {
            tenant.end_stream("the gateway stops");
        }
        listening.stop().await;
        stop.cancel();
        bot.stop().await.map_err(|error| Failure::failed("W110").source(&error))
    }

    /// The bounds of each account, as the file says.
    fn bounds(&self) -> TenantOptions {
        let (door, usual) = (&self.doors.gateway, TenantOptions::new(&self.files));
        TenantOptions {
            waiting: door.waiting.map_or(usual.waiting, |most| most as usize),
            send_wait: door.send_wait.map_or(usual.send_wait, |wait| wait.0),
            largest_file: door.file_mib.map_or(usual.largest_file, |mib| mib << 20),
            all_files: door.files_mib.map_or(usual.all_files, |mib| mib << 20),
            file_life: door.file_life.map_or(usual.file_life, |life| life.0),
            ..usual
        }
    }

    /// The token of each account: the one that was given, else that of the file, else a new one.
    fn tokens(&self, bot: &Bot) -> Result<Vec<String>, Failure> {
        let accounts = bot.accounts();
        match &self.token {
            Some(_) if accounts.len() > 1 => Err(Failure::usage("W223").number("count", accounts.len() as u64)),
            Some(token) => Ok(vec![token.clone()]),
            None => {
                let token = |id| self.doors.gateway.token(id).map(str::to_owned).or_else(|| token::generate(INSECURE));
                let tokens = accounts.iter().map(|account| token(account.id())).collect::<Option<_>>();
                tokens.ok_or_else(|| Failure::failed("W220"))
            }
        }
    }

    /// Says how the operator's certificate stands, and looks whether its files change.
    fn certified(&mut self, work: &mut JoinSet<()>, clock: &Clock) {
        let Secured::ByCertificate { renewal, standing, .. } = &mut self.secured else { return };
        let told = match standing {
            Standing::EndsSoon(day) => Some(("gateway-certificate-ends", day)),
            Standing::Over(day) => Some(("gateway-certificate-over", day)),
            _ => None,
        };
        if let Some((key, day)) = told {
            output::tell(&text(self.lang, key, &Args::new().set("day", &**day)));
        }
        if let Some(renewal) = renewal.take() {
            work.spawn(task::work(renewal.watch(clock.clone())));
        }
    }

    async fn listen(
        self,
        tenants: &[Arc<Tenant>],
        tokens: &[String],
        clock: &Clock,
        stop: &CancellationToken,
    ) -> Result<Listening, Failure> {
        let named = self.args.listen.map(ListenAddr::address);
        let ip = named.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |address| address.ip());
        let port = self.port;
        let taken = |error: std::io::Error| {
            let address = SocketAddr::new(ip, port.unwrap_or(listen::PORT));
            Failure::failed("W224").set("address", address.to_string()).source(&error)
        };
        let listener = listen::bind(ip, port).map_err(taken)?;
        let address = listener.local_addr().map_err(taken)?;
        let mut auth = Auth::new(tokens).map_err(|error| Failure::usage("W220").source(&error))?;
        if self.args.allow_anonymous {
            auth = auth.allow_anonymous(address).map_err(|error| Failure::usage("W220").source(&error))?;
        }
        let (tls, encryption) = match self.secured {
            Secured::Not => (None, Encryption::Off),
            Secured::ByAuthority { tls, certificate } => (Some(*tls), Encryption::Authority(certificate)),
            Secured::ByCertificate { tls, .. } => (Some(*tls), Encryption::Own),
        };
        let service = auth.layer(self.keys.layer(Calls::new(tenants, clock, stop)));
        let listening = listen::serve(listener, tls, service, ListenSettings::default(), clock.clone(), stop);
        let listening = listening.map_err(taken)?;
        let door = |at: usize, token: &String| {
            // Who shows no token is taken for the client of the first.
            let anonymous = self.args.allow_anonymous && at == 0;
            Door { address, token: token.clone(), encryption: encryption.clone(), anonymous }
        };
        let doors: Vec<Door> = tokens.iter().enumerate().map(|(at, token)| door(at, token)).collect();
        output::print(&announced(tenants, &doors, self.lang))?;
        Ok(listening)
    }
}

/// What a client of each language needs to come here, for each account: lines to copy, all else behind `#`.
fn announced(tenants: &[Arc<Tenant>], doors: &[Door], lang: Lang) -> String {
    let say = |key: &str| text(lang, key, &Args::new());
    let Some(first) = doors.first() else { return String::new() };
    let mut told = text(lang, "gateway-listens", &Args::new().set("address", first.address.to_string())) + "\n";
    for note in first.notes() {
        told += &*format!("# {}\n", say(note));
    }
    for (tenant, door) in tenants.iter().zip(doors) {
        if doors.len() > 1 {
            let account = Args::new().set("account", tenant.account().id().as_str());
            told += &*format!("\n# ── {} ──\n", text(lang, "gateway-account", &account));
        }
        for recipe in door.recipes() {
            told += &*format!("\n# {}\n", recipe.language.name());
            for line in recipe.lines {
                told += &*(line + "\n");
            }
            for note in recipe.notes {
                told += &*format!("# {}\n", say(note));
            }
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(clap::Parser)]
    struct Words {
        #[command(flatten)]
        gateway: GatewayArgs,
    }

    #[test]
    fn two_ports_are_refused_and_a_flag_comes_before_the_environment() {
        let of = |words: &[&str], env: Option<&str>| {
            let args = Words::try_parse_from([&["gateway"], words].concat()).expect("it is understood").gateway;
            port(&args, |_| env.map(str::to_owned)).map_err(|failure| failure.exit)
        };
        for (words, expected) in [
            (&[][..], Ok(None)),
            (&["--listen", "0.0.0.0"], Ok(None)),
            (&["--listen", "0.0.0.0:9000"], Ok(Some(9000))),
            (&["-p", "9001"], Ok(Some(9001))),
            (&["--listen", "0.0.0.0", "--port", "9001"], Ok(Some(9001))),
            (&["--listen", ":9001", "--port", "9001"], Ok(Some(9001))),
            (&["--listen", "127.0.0.1:9000", "-p", "9001"], Err(2)),
        ] {
            assert_eq!(of(words, None), expected, "{words:?}");
        }
        assert_eq!(of(&["--listen", ":9000", "-p", "9001"], Some("9001")), Ok(Some(9000)));
    }
}
