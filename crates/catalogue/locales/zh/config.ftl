# BOT.toml 和旁边的 `.env` 可能有的错误；英文与 crates/config/src/code.rs 相同。
# cause 和 fix 里不用变量；消息里的变量来自文件。

C001 = 无法读取 { $path }：{ $reason }
    .cause = 配置文件不存在、没有读权限、超过 1 MiB，或者不是 UTF-8。
    .fix = 请检查路径和权限，并把文件存为 UTF-8。

C002 = 这不是合法的 TOML：{ $reason }
    .cause = 文本不符合 TOML 的规则：引号或括号没有配对，同一个键写了两次，或者缺少值。
    .fix = 请改正这一行；https://toml.io 用一页纸讲完了规则。

C003 = 没有 `{ $name }` 这个键；可用的有 { $known }
    .cause = 键名拼错了，写错了位置，或者属于别的版本。
    .fix = 请用已有的键；`wechaty config schema` 会列出全部。

C004 = 缺少 `{ $name }`：应为 { $expected }
    .cause = 这一部分必须有这个键。
    .fix = 请补上。

C005 = 应为 { $expected }，却是 { $found }
    .cause = 值的类型不对：带引号的数字是文本，单独一段文本也不是列表。
    .fix = 请写成所要求的类型。

C006 = `{ $value }` 不在可选的值 { $known } 之中
    .cause = 这个键只接受几个固定的值。
    .fix = 请从中选一个。

C007 = { $value } 超出范围：应为 { $expected }
    .cause = 数值，或者文本、列表的长度，超出了合理的范围。
    .fix = 请换一个范围内的值。

C008 = 不认识版本 { $value }：应为 { $expected }
    .cause = 文件是为另一个版本的 Wechaty 写的。
    .fix = 请把 `version` 改成所要求的值，再按下一次检查的提示修改。

C009 = 没有名为 `{ $name }` 的 puppet；现有 { $known }
    .cause = puppet 的名称拼错了，或者还没有人写过。
    .fix = 请从现有的 puppet 中选一个；`wechaty puppets` 会说明每个能做什么。

C010 = 当前的程序没有编译 puppet `{ $name }`；编译命令：{ $command }
    .cause = 依赖较大的 puppet 是可选的，编译当前程序时没有选它。
    .fix = 请用这条命令重新编译。

C011 = 没有名为 `{ $name }` 的插件；现有 { $known }
    .cause = 插件的名称拼错了，或者当前程序里没有它。
    .fix = 请从现有的插件中选一个；`wechaty plugin list` 会说明每个能做什么。

C012 = puppet `{ $puppet }` 需要 `{ $name }`（{ $help }）：请写在这里，或者设置环境变量 { $env }；详见 { $docs }
    .cause = 没有这项设置，puppet 就无法运行；文件和环境变量里都没有它。
    .fix = 请到链接所说的地方取得这个值并填上；密钥最好写成 `{"{"} env = "NAME" {"}"}`。

C013 = `{ $name }` 不对：{ $reason }
    .cause = puppet 或入口检查了这个值，认为无法使用。
    .fix = 请按所说的原因改正。

C014 = `{ $name }` 重复了，第一次出现在第 { $first } 行
    .cause = 账号和插件靠 id 区分；没有写 id 的插件，以插件名作为 id。
    .fix = 请给其中一个换一个 `id`。

C015 = 没有账号 `{ $name }`；现有 { $known }
    .cause = 主人、插件或入口提到的账号，在本文件的 [[account]] 里没有对应的 id。
    .fix = 请写某个账号的 id。

C016 = `{ $value }` 不能表示主人：应为 account:contact
    .cause = 主人由账号的 id 和那里的联系人 id 组成，中间用半角冒号隔开。
    .fix = 请写成 "shop:ou_123" 的样子。

C017 = 没有时区 `{ $value }`
    .cause = 时区要用 IANA 数据库里的名称，不能用偏移量或缩写。
    .fix = 请写成 "Asia/Shanghai" 或 "UTC" 的样子。

C018 = 这不是正则表达式：{ $reason }
    .cause = 表达式里有没配对的括号，或者用了这里不支持的写法。
    .fix = 请改正表达式；用单引号（'…'）可以避免 TOML 转义其中的反斜杠。

C019 = 环境变量 { $name } 没有设置
    .cause = 文件要从环境变量取值，但该变量不存在，或者是空的。
    .fix = 请设置这个变量，或者写进文件旁边的 `.env`。

C020 = 无法从 { $path } 读取值：{ $reason }
    .cause = 文件要从另一个文件取值，而那个文件不存在、没有读权限、是空的，或者不是文本。
    .fix = 请检查路径（相对于配置文件）和权限。

C021 = { $path } 不存在
    .cause = 某项设置指向的文件或目录不存在。
    .fix = 请检查路径；它是相对于配置文件的。

C022 = [{ $name }] 还不能用：这个版本的 Wechaty 没有这项功能
    .cause = 这个名称是留给以后版本的。
    .fix = 请删去这一部分。

C023 = 一个账号也没有：请加上 [[account]]，写明 `id` 和 `puppet`
    .cause = 机器人至少要有一个账号，而文件和 `WECHATY_PUPPET` 都没有指定。
    .fix = 请添加账号：`wechaty account add` 会逐项询问。

C024 = `{ $value }` 不是地址：应为 127.0.0.1:8080 的样子
    .cause = 监听的地址由 IP 地址和端口组成，不能写主机名。
    .fix = 请两样都写上；端口写 0 则任选一个空闲的。

C025 = { $door } 没有令牌，能访问 { $address } 的人都可以使用
    .cause = 只要不是只监听本机，或者经由代理以 `hosts` 里的名字对外服务，别人就能访问，所以入口必须有令牌。
    .fix = 请给账号设置令牌；或者只监听 127.0.0.1，并去掉这样的名字。

C026 = `{ $value }` 的写法不对：应为 { $expected }
    .cause = 文本里有这个键不接受的字符，或者顺序不对；也可能花括号里的键太少或太多。
    .fix = 请按所要求的形式写。

C027 = 插件 `{ $plugin }` 不接受它的设置：{ $reason }
    .cause = 每项设置的类型都对，但合在一起讲不通。
    .fix = 请按所说的原因改正。

C028 = 这不是环境文件的一行：应为 NAME=value
    .cause = `.env` 里有一行没有 `=`，或者名称里有字母、数字和 _ 以外的字符，或者引号没有配对。
    .fix = 请写成 NAME=value；值里有空格时要加引号。

C029 = 环境变量 { $name } 的值不对：应为 { $expected }
    .cause = 环境变量优先于文件，而它的值类型不对。
    .fix = 请改正这个变量，或者取消设置。

C030 = 账号 `{ $first }` 和 `{ $second }` 都要提供 { $page }
    .cause = 两者都使用网页聊天，而一个程序只有一个页面。
    .fix = 请只保留一个；另一个机器人可以在下一个端口上单独运行。

C031 = `{ $value }` 不是 cron 表达式：{ $reason }
    .cause = 它有五个字段：分、时、日、月、星期；前面再加一个就是秒。也可能写的日子永远不会到来。
    .fix = 请写成 "0 9 * * MON-FRI"（工作日九点）或 "*/10 * * * *"（每十分钟）这样。

C032 = 任务 `{ $value }` 没有说明按哪里的时间
    .cause = 机器人没有设置 `timezone`，而这台机器的时区说不准是哪里的。
    .fix = 请在文件开头写 `timezone = "Asia/Shanghai"`，或者 "UTC"。

C033 = 任务没有说明由哪个账号来说；现有 { $known }
    .cause = 机器人（或这个插件）有多个账号，每个账号认识的人和所在的群都不同。
    .fix = 请在任务里写 `account = "…"`，每个账号写一个任务；或在插件的 `accounts` 里只写一个账号。

C034 = 令牌含有请求无法携带的字符：应为不含空格的 ASCII 字符
    .cause = 令牌放在 HTTP 请求头中发送，那里不能有空格和英文以外的文字。
    .fix = 请使用 16 到 512 个字母、数字和符号；可用 `wechaty token generate` 生成。
