# 网关的端口，以及客户端如何接入，中文。

gateway-speaks-grpc = 这个端口用 gRPC（HTTP/2，不带 TLS）与 Wechaty 机器人通信，没有网页。
gateway-speaks-grpc-tls = 这个端口用 gRPC（HTTP/2，带 TLS）与 Wechaty 机器人通信，没有网页。

# 与接入命令一起打印的说明。
connect-needs-no-tls = 这个 SDK 不支持 TLS：请用 --no-tls 启动网关。
connect-needs-anonymous = 这个 SDK 不发送令牌：请在本机回环地址上用 --no-tls --allow-anonymous 启动网关。
connect-own-certificate = 请把签发者的证书放进 WECHATY_PUPPET_SERVICE_TLS_CA_CERT。你的证书必须对令牌最后一个“_”之前的部分有效。
connect-loopback = 只有本机的程序可以接入。要让其他机器接入，请用 --listen 加上本机的地址启动网关。
connect-in-the-clear = 不用 TLS 时，途中的任何人都能读到令牌和所有消息。
connect-other-machine = 在另一台机器上，请改写成这台机器的地址。

gateway-certificate-ends = 警告：你的证书只到 { $day } 有效。请把新证书放进原来的文件，不用重启就会生效。
gateway-certificate-over = 警告：你的证书已于 { $day } 过期，客户端会拒绝它。请把新证书放进原来的文件，不用重启就会生效。
gateway-account = 账号 { $account }
gateway-listens = 网关地址：{ $address }。以下是各语言所需的命令，请在启动机器人之前执行：
gateway-token-name = 警告：这个令牌的 UUID 前面没有服务器名。TypeScript 和 Go 的机器人要配合下面的 WECHATY_PUPPET_SERVICE_TLS_SERVER_NAME 一行使用；`wechaty token generate` 生成的令牌不需要它。
gateway-unused = 警告：文件中的 { $sections } 只对 `wechaty run` 有效：`wechaty gateway` 不开放其他入口。
