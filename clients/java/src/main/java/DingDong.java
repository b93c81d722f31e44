import io.github.wechaty.Wechaty;
import io.github.wechaty.WechatyOptions;
import io.github.wechaty.schemas.MessageType;
import io.github.wechaty.schemas.PuppetOptions;
import io.github.wechaty.user.Room;

/** A ding-dong bot of the Java SDK. Who serves it, it reads from the environment. */
public class DingDong {
    public static void main(String[] args) {
        PuppetOptions puppet = new PuppetOptions();
        puppet.setEndPoint(System.getenv("WECHATY_PUPPET_SERVICE_ENDPOINT"));
        // The SDK wants one, and sends it to nobody.
        puppet.setToken(System.getenv("WECHATY_PUPPET_SERVICE_TOKEN"));
        WechatyOptions options = new WechatyOptions();
        options.setPuppetOptions(puppet);

        Wechaty.instance(options)
            .onScan((qrcode, status, data) -> System.out.println("scan to log in (" + status + "): " + qrcode))
            .onLogin(self -> System.out.println(self.name() + " logged in"))
            .onMessage(message -> {
                System.out.println(message.talker().name() + ": " + message.text());
                if (message.self() || message.type() != MessageType.Text || !message.text().equals("ding")) {
                    return;
                }
                Room room = message.room();
                if (room != null) {
                    room.say("dong");
                } else {
                    message.talker().say("dong");
                }
            })
            .start(true);
    }
}
