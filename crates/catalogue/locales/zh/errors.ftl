# 命令行的错误。错误码一经发布，含义不变；cause 和 fix 里不用变量。
# 1xx 命令行 · 2xx 配置 · 3xx 账号与 puppet · 4xx 网页聊天与 HTTP

W100 = 运行出错
    .cause = 具体原因见消息下面一行，这类错误还没有单独的错误码。
    .fix = 如果看了还不明白，请连同所用的命令一起反馈；加上 `--log verbose` 可以看到更多细节。

W101 = 没有名为 `{ $name }` 的 puppet
    .cause = `--puppet` 或 WECHATY_PUPPET 指定的平台，本项目并不支持。
    .fix = 请从列出的名称中选一个；`wechaty puppets` 会说明每个 puppet 能做什么。

W102 = 有 `{ $name }` 这个 puppet，但当前的程序没有编译进去
    .cause = 有些平台依赖较大的库，默认不编译。
    .fix = 请在代码仓库目录里用上面的命令重新编译。

W103 = puppet `{ $puppet }` 的设置有问题
    .cause = 缺少必需的设置，或者设置的值不对；此时还没有连接任何平台。
    .fix = 请改正上面指出的设置；`wechaty puppets` 会列出全部设置和对应的环境变量。

W104 = 无法写入记录文件 { $path }
    .cause = `--record` 指定的文件建不了：目录不存在，或者没有写权限。
    .fix = 请把 `--record` 指向一个已存在且可写的目录。

W105 = 记录文件 { $path } 不完整
    .cause = 运行途中写 `--record` 的文件失败，多半是磁盘满了。
    .fix = 请腾出空间后重新运行；现在文件里只有开头一部分。

W106 = `{ $flag }` 只能配合 puppet `mock` 使用，不能用于 `{ $puppet }`
    .cause = 只有模拟的世界才能从文件读入，也才能快进；真人做不到。
    .fix = 请加上 `--puppet mock`，或者去掉这个参数。

W108 = 路径 { $path } 不是 UTF-8
    .cause = 文件名或目录名里含有不是文字的字节。
    .fix = 请改名，或者复制到名称普通的路径。

W109 = 机器人无法启动
    .cause = 失败的原因见消息下面一行；此时还没有收发任何消息。
    .fix = 请按上面的提示处理；`wechaty doctor` 可以排查常见原因。

W110 = 机器人因出错而停止
    .cause = 平台彻底断开了连接，或者账目读不出来。
    .fix = 请看上面一行；加上 `--log info` 可以在日志里看到之前发生了什么。

W111 = 无法读取输入
    .cause = 标准输入是一个目录、已经关闭，或者根本读不了。
    .fix = 请在终端里运行，或者接上文件或管道：`echo ding | wechaty run --puppet terminal`。

W112 = 账目对不平：有消息下落不明
    .cause = 上面账目的总数对不上。这是 Wechaty 的缺陷，不是你的机器人的错。
    .fix = 请反馈给我们，附上上面几行和 `wechaty --version` 的输出。

W113 = 有 { $count } 条消息没能输出
    .cause = 机器人话还没说完，标准输出就关闭了，或者所在的磁盘满了。
    .fix = 请检查读取输出的程序；上面的账目写明了每条消息失败的原因。

W114 = 没有 `{ $level }` 这个日志级别
    .cause = `--log` 或 WECHATY_LOG 里的词不是日志级别，或者过滤规则写错了。
    .fix = 请用 silent、error、warn、info、verbose、silly 之一，或者 `wechaty=debug` 这样的过滤规则。

W115 = `{ $flag }` 必须在 { $least } 到 { $most } 之间
    .cause = 这个数超出了可测量的范围。
    .fix = 请给一个范围内的数。

W116 = 无法写入标准输出
    .cause = 接收输出的文件或程序拒绝写入，也许是磁盘满了。
    .fix = 请把输出改到别处。

W117 = 有 { $count } 项检查没有通过
    .cause = `wechaty doctor` 发现了会让机器人无法工作的问题。
    .fix = 请处理标为“失败”的各行，每行下面都写了办法。

W120 = 这里没有 `{ $flag }` 这个参数
    .cause = 该命令不认识这个参数，或者多写了几个词。
    .fix = 在命令后面加 `--help`，可以看到全部参数。

W121 = 没有 `{ $word }` 这个命令
    .cause = `wechaty` 后面的第一个词必须是命令。
    .fix = `wechaty --help` 会列出全部命令。

W122 = `{ $value }` 不能作为 `{ $flag }` 的值
    .cause = 这个参数只接受特定的词，或者一个数。
    .fix = 请用允许的值；在命令后面加 `--help` 可以查看。

W123 = 还缺少：{ $what }
    .cause = 该命令需要这个参数，或者参数后面还要跟一个值。
    .fix = 请补上；在命令后面加 `--help` 可以看到写法。

W124 = `{ $flag }` 不能和 `{ $other }` 一起使用
    .cause = 两者互相矛盾，或者同一个参数写了两遍。
    .fix = 请去掉其中一个。

W125 = 看不懂这条命令
    .cause = 具体问题见消息下面一行。
    .fix = 在命令后面加 `--help` 可以看到写法。

W130 = 没有错误码 `{ $code }`
    .cause = 错误码是 W 或 C 加三位数字，例如 W101；也可能消息来自另一个版本。
    .fix = 直接运行 `wechaty explain` 会列出全部错误码。

W131 = 这不是 puppet 服务的令牌
    .cause = 令牌由服务器名、`_` 和 UUID 组成：`insecure_1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed`。
    .fix = 请从来源处重新完整复制一遍；也可以自己生成：`wechaty token generate`。

W132 = `{ $name }` 不能作为令牌的服务器名
    .cause = 客户端要按这个名字核对证书：最多 63 个字母、数字、`-`、`_` 和 `.`，以字母或数字开头，不以 `_` 结尾。
    .fix = 请换一个符合要求的名字，例如网关证书上的名字。

W133 = `token discover` 还没有实现
    .cause = 这项查询会把你的令牌发给第三方（默认是 api.chatie.io），由它回答网关在哪里。现在什么都没有发出去。
    .fix = 请自己在 WECHATY_PUPPET_SERVICE_ENDPOINT 里写明网关地址，这样就不用问任何人。

W140 = { $path } 不是空目录
    .cause = `wechaty new` 从不覆盖已有的文件。
    .fix = 请换一个还不存在的目录。

W141 = 目录名 { $path } 没法用作项目名
    .cause = Rust 包名只能用拉丁字母、数字和 `-`，而这个目录名里一个也没有。
    .fix = 请用拉丁字母给目录起名，例如 `my-bot`，以后可以再改。

W142 = 无法使用 { $path }
    .cause = 系统拒绝读写它，原因见消息下面一行。
    .fix = 请换一个位置，或者修改写权限。

W150 = 端口已被占用
    .cause = 本机上有别的程序（也许是另一个机器人）正在监听这个端口。
    .fix = 不用处理：会自动改用下一个空闲端口并显示出来。如果一定要用这个端口，请先结束那个程序。

W151 = 当前目录不可写
    .cause = 机器人要把需要记住的东西保存在启动时所在的目录。
    .fix = 请用 `cd` 换到自己的目录，或者修改写权限。

W153 = 没有程序认识这个变量
    .cause = 设置了以 WECHATY_ 开头的变量，但没有地方读取它，也许是拼错了。
    .fix = 请改正名称，或者取消设置。

W154 = 本机的时钟不对
    .cause = 日期早于本程序的编写时间，或者太过遥远；证书和签名都会被拒绝。
    .fix = 请校准时钟，最好用 NTP。

W155 = 区域设置不是 UTF-8
    .cause = LC_ALL、LC_CTYPE、LANG 都没有设置，或者设成了不带 UTF-8 的区域，有些程序会显示乱码。
    .fix = 请把 LANG 设为 `zh_CN.UTF-8`、`en_US.UTF-8` 或 `C.UTF-8`。

W156 = 可同时打开的文件太少
    .cause = 每个连接都占用一个打开的文件，而当前进程的上限很低。
    .fix = 账号多的话，启动前请调高上限：`ulimit -n 65536`。

W158 = 这个变量用的是旧名称
    .cause = 旧版 Wechaty 用这个名称，以后可能不再有效。
    .fix = 请改用新名称。

W200 = 配置有 { $count } 处错误
    .cause = BOT.toml、旁边的 `.env` 或环境变量里写了不成立的内容。什么都没有启动。
    .fix = 请逐一改正，再运行 `wechaty config check`；`wechaty explain C005` 会进一步说明某个错误码。

W201 = 已经有账号 `{ $id }` 了
    .cause = 账号靠 id 区分，而文件里已有一个用了这个 id。
    .fix = 请换一个 `--id`；`wechaty account list` 会列出已有的账号。

W203 = puppet `{ $puppet }` 没有 `{ $key }` 这项设置
    .cause = `--set` 要写成 KEY=VALUE，其中 KEY 是 puppet 声明过的设置。
    .fix = 请用该 puppet 已有的设置；`wechaty puppets` 会列出全部。
