# `--help` 的文字，按名称的路径排列：help-<命令>-<参数>。

help = 一个机器人，连接所有聊天平台；每条消息都有着落。
help-lang = 界面语言；不写则按环境变量决定
help-log = 日志级别：silent、error、warn、info、verbose、silly，或 `wechaty=debug` 这样的过滤规则；不写则为 warn
help-help = 显示帮助
help-version = 显示版本
help-after = 退出码：0 完成，1 运行中出错，2 所要求的事做不到，130 回答提问时按了 Ctrl-C。
    错误都有编号：`wechaty explain 编号` 会说明原因和解决办法。
help-usage = 用法：{ $usage }
help-heading = { $heading }：
help-commands = 命令
help-command = 命令
help-arguments = 参数
help-options = 选项
help-any-options = [选项]
help-values = （可用：{ $value }）
help-default = （不写则为 { $value }）
help-env = （环境变量 { $value }）

help-run = 运行 BOT.toml 里的机器人；没有它就运行演示机器人
help-run-bot = 配置文件；不写则用 ./BOT.toml，没有就运行演示机器人
help-run-puppet = 使用哪个平台（`wechaty puppets` 列出全部）；不写则看 WECHATY_PUPPET，再没有就用网页聊天
help-run-listen = 网页聊天和 webhook 的地址，可写成 `IP:PORT`、`IP`、`localhost:PORT`、`:PORT` 或 `PORT`；不写 IP 则只限本机，写 0.0.0.0 则同一网络里的手机也能打开；不写则用 127.0.0.1:8080 或下一个空闲端口。用域名访问时，须把域名写进 BOT.toml 中 [http] 的 `hosts`
help-run-store = 机器人存放文件的目录
help-run-world = puppet mock 的世界文件
help-run-clock = 使用哪个时钟；virtual 会以最快速度演完整个世界，然后结束
help-run-record = 每发出一条消息，就写一行 JSON
help-run-api = 打开 REST 接口：/api/v1 下提供 HTTP 上的 JSON，/api 是试用页面；令牌取自 WECHATY_API_TOKEN 或 BOT.toml 的 [doors.rest]，都没有就生成一个并打印出来
help-run-json = 结束时以 JSON 打印账目：输出到 stdout；puppet 为 terminal 时输出到 stderr

help-gateway = 把账号提供给各种语言的 Wechaty SDK 使用，每个账号凭各自的令牌
help-gateway-bot = 配置文件；不写且没有指定 puppet 时，用 ./BOT.toml（如果有）
help-gateway-puppet = 使用哪个平台（`wechaty puppets` 列出全部）；不写则看 WECHATY_PUPPET
help-gateway-world = puppet mock 的世界文件
help-gateway-port = 使用哪个端口；不写则用 8788 或下一个空闲端口
help-gateway-token = 客户端必须出示的令牌：服务器名、`_` 和 UUID（可用 `wechaty token generate` 生成）；不写则看 WECHATY_TOKEN，再看 BOT.toml 的 [[doors.gateway.token]]，再没有就新生成一个并打印出来。只能用于单个账号。命令行会被别人看到，建议用环境变量
help-gateway-listen = 监听地址，可写成 `IP:PORT`、`IP`、`localhost:PORT`、`:PORT` 或 `PORT`；不写则只限本机
help-gateway-store = 机器人存放文件的目录
help-gateway-record = 每发出一条消息，就写一行 JSON
help-gateway-no_tls = 不使用 TLS：路上的任何人都能读到全部内容，包括令牌
help-gateway-tls_cert = 自备的证书（PEM）；不写则由本机的证书机构按客户端所要的名称签发
help-gateway-tls_key = 该证书的私钥（PEM）
help-gateway-allow_anonymous = 允许不出示令牌的客户端（例如 Java 版）连接；仅限本机

help-new = 新建一个项目，开箱就能编译并通过测试
help-new-dir = 要新建的目录，目录名就是项目名
help-new-template = 新建什么：不写代码的机器人、Rust 机器人、插件、puppet
help-new-path = 所依赖的 Wechaty 源码目录；不写则用编译本程序的源码目录（如果还在）
help-new-git = 改为依赖这个 Wechaty 仓库

help-config = 检查 BOT.toml，也就是描述机器人的配置文件
help-config-check = 指出文件里的全部错误：行、键、应该怎么改
help-config-check-file = 配置文件
help-config-check-json = 以 JSON 输出
help-config-schema = 打印该文件的 JSON Schema，供编辑器使用

help-account = 列出和添加 BOT.toml 里的账号
help-account-list = 列出账号，不显示密钥
help-account-list-file = 配置文件
help-account-list-json = 以 JSON 输出
help-account-add = 添加账号：询问平台所需的设置，并检查是否可用
help-account-add-file = 配置文件，没有则新建；密钥写入旁边的 `.env`
help-account-add-puppet = 使用哪个平台（`wechaty puppets` 列出全部）
help-account-add-id = 账号在这个机器人里的名字
help-account-add-name = 新建文件时机器人的名字，默认与所在目录同名
help-account-add-set = 平台的一项设置；写 `KEY=-` 则从标准输入读取，免得留在命令历史里
help-account-add-no_check = 不向平台核实凭据是否可用

help-plugin = 列出和检查插件；不写代码的机器人靠插件做事
help-plugin-list = 列出现有的插件和各自的设置
help-plugin-list-json = 以 JSON 输出
help-plugin-check = 只检查文件里与插件有关的部分
help-plugin-check-file = 配置文件

help-puppets = 列出现有的平台、各自的能力和所需的设置
help-puppets-json = 以 JSON 输出

help-ledger = 查询正在运行的机器人的账目：收到了什么、说了什么、每条消息的下落
help-ledger-bot = 机器人的配置文件；不写则用 ./BOT.toml，没有就找当前目录里 WECHATY_NAME 所指的机器人
help-ledger-store = 机器人存储所在的目录，若在别处
help-ledger-json = 以 JSON 输出

help-trace = 说明一条消息现在在哪里、为什么：每一步都有时间。消息过多时，归档不保证每条都有
help-trace-id = 平台的编号、事件（e12）或回执；写开头几位即可
help-trace-last = 最近的一条消息
help-trace-with = 与这个人或在这个会话中的消息；写名字的开头即可
help-trace-words = 含有这些词的消息
help-trace-limit = 最多几条消息，1 到 10000
help-trace-bot = 机器人的配置文件；不写时用 ./BOT.toml，否则是本目录下 WECHATY_NAME 所指的机器人
help-trace-store = 机器人存储所在的目录，若在别处
help-trace-json = 以 JSON 输出

help-dead-letters = 列出最终发送失败的消息，并决定如何处理
help-dead-letters-list = 列出死信
help-dead-letters-list-bot = 机器人的配置文件；不写时用 ./BOT.toml，否则是本目录下 WECHATY_NAME 所指的机器人
help-dead-letters-list-store = 机器人存储所在的目录，若在别处
help-dead-letters-list-json = 以 JSON 输出
help-dead-letters-retry = 把死信放回发件箱
help-dead-letters-retry-numbers = 死信的编号，见 `list`
help-dead-letters-retry-all = 全部死信
help-dead-letters-retry-bot = 机器人的配置文件；不写时用 ./BOT.toml，否则是本目录下 WECHATY_NAME 所指的机器人
help-dead-letters-retry-store = 机器人存储所在的目录，若在别处
help-dead-letters-drop = 丢弃死信
help-dead-letters-drop-numbers = 死信的编号，见 `list`
help-dead-letters-drop-all = 全部死信
help-dead-letters-drop-bot = 机器人的配置文件；不写时用 ./BOT.toml，否则是本目录下 WECHATY_NAME 所指的机器人
help-dead-letters-drop-store = 机器人存储所在的目录，若在别处

help-backup = 把机器人的存储复制成一个文件，机器人运行时也可以
help-backup-file = 要生成的文件
help-backup-bot = 机器人的配置文件；不写时用 ./BOT.toml，否则是本目录下 WECHATY_NAME 所指的机器人
help-backup-store = 机器人存储所在的目录，若在别处

help-restore = 机器人不运行时，用备份替换它的存储
help-restore-file = 备份文件
help-restore-force = 替换已有的存储；原来的保留在旁边
help-restore-yes = 确认替换另一个机器人的存储
help-restore-bot = 机器人的配置文件；不写时用 ./BOT.toml，否则是本目录下 WECHATY_NAME 所指的机器人
help-restore-store = 机器人存储所在的目录，若在别处

help-forget = 从归档和死信中删除某人说过的和收到的内容，以及处理器保存的此人状态；正在处理的除外
help-forget-person = 此人在平台上的编号
help-forget-account = 只删除这个账号的
help-forget-bot = 机器人的配置文件；不写时用 ./BOT.toml，否则是本目录下 WECHATY_NAME 所指的机器人
help-forget-store = 机器人存储所在的目录，若在别处

help-token = 生成和解读 puppet 服务的令牌
help-token-generate = 生成新令牌
help-token-generate-sni = 服务器名，客户端按它核对网关的证书
help-token-inspect = 解读令牌的各个部分，不显示密钥，也不询问任何人
help-token-inspect-token = 令牌；写 `-` 则从标准输入读取，免得留在命令历史里
help-token-discover = 向第三方查询令牌对应的网关，会把令牌发给它
help-token-discover-token = 令牌；写 `-` 则从标准输入读取，免得留在命令历史里
help-token-discover-authority = 询问哪台主机（用 HTTPS）；本机也可以写 http://127.0.0.1:PORT
help-token-discover-yes = 不再询问，直接发送令牌
help-token-discover-json = 输出 JSON

help-doctor = 检查本机有没有妨碍机器人运行的问题；不访问外界
help-doctor-json = 以 JSON 输出

help-explain = 说明某个错误的原因和解决办法
help-explain-code = 错误码，例如 W101；不写则列出全部

help-completions = 打印命令补全脚本
help-completions-shell = 哪种 shell

help-bench = 在本机测量 SDK 的速度，与裸跑的极限对照
help-bench-core = 内存中：puppet、处理函数、say、puppet
help-bench-core-json = 以 JSON 输出
help-bench-core-seconds = 每一部分测量多久
help-bench-durable = 写入文件：每个事件、每次发送都提交
help-bench-durable-json = 以 JSON 输出
help-bench-durable-seconds = 每一部分测量多久
help-bench-gateway = 网关：调用、事件和文件，与裸 gRPC 服务器对照
help-bench-gateway-json = 以 JSON 输出
help-bench-gateway-seconds = 每一轮的每一部分测量多久
help-bench-gateway-file = 大文件的大小，单位 MiB
