# 一切正常时各命令说的话。

cause = 原因：{ $text }
fix = 解决办法：{ $text }
and = 和
comma = 、
did-you-mean = 是不是想写 `{ $name }`？
possible-values = 可用的值：{ $values }
possible-number = 请写一个整数。
possible-range = 请写 { $least } 到 { $most } 之间的整数。

# run
banner-terminal = Wechaty { $version } — 输入 /help 查看命令，按 Ctrl-D 结束
run-login = 账号 `{ $account }`：已登录为 { $who }
run-logout = 账号 `{ $account }`：{ $who } 已退出登录
run-logout-why = 账号 `{ $account }`：{ $who } 已退出登录：{ $why }
run-failed = 账号 `{ $account }` 无法继续：“{ $why }”
demo-greeting = 你好，我是 Wechaty 机器人。发“ding”试试，发“帮助”看我还会什么。
demo-help = 我会：ding · 你好 · 回声 任意文字 · 图片 · 菜单 · 卡片 · 帮助
demo-hint = 这个我还不会；发“帮助”看看我会什么。
demo-card = 要继续吗？
demo-card-text = 卡片有标题、正文和按钮。
demo-card-yes = 好
demo-card-no = 不了
demo-card-chosen = 你选了 { $value }。
demo-card-chosen-yes = 你选了“好”，那就继续。
demo-card-chosen-no = 你选了“不了”，那就到这里。
listen = 聊天页面已打开：{ $url }
listen-network = 同一网络里的手机或其他电脑请打开：{ $url }
listen-token = 打开时需要该账号的令牌；在地址后面加上 `/#token=` 和令牌，就不用再输入。
listen-phone = 想用同一网络里的手机打开，请运行：wechaty run --listen 0.0.0.0
listen-api = REST 接口及其试用页面在 { $url }
listen-api-token = 本次运行的令牌：{ $token }
listen-moved = 端口已被另一个程序占用，改用 { $port }。
demo-tea = 喝茶吗？
demo-tea-green = 绿茶
demo-tea-black = 红茶
demo-tea-none = 不喝
demo-tea-coming = 马上就来。
demo-tea-nothing = 那就不喝了。
demo-tea-late = 太晚了，水都凉了。
pending = 机器人停止时还没有做完：{ $what }。
pending-late = 机器人停止时还没有做完：{ $what }，处理函数和发送在 10 秒内没能结束。
pending-kept = 它们保存在 { $path } 里，下次启动会接着做。
pending-lost = 没有名字（BOT.toml 里的 `name`）或用 `--clock virtual` 的运行不保存任何东西，它们就此丢失。
store-still-full = 机器人暂时不接收新消息，由平台保留。之前要发的，只要不需要空间就照常发送；处理函数现在要发的先等着，它所在的会话也一起等。有了空间会自行继续。
store-still-read-only = 在此期间机器人不接收新消息，也不发送；新消息由平台保留。已接收的不会丢失。可写后会自行继续。
store-still-damaged = 机器人用能读的部分继续工作：只要不涉及损坏部分，照常接收和发送。
store-still-failing = 在此期间机器人不接收新消息，由平台保留。已接收的不会丢失。恢复后会自行继续。
store-still-aside = 其余的照常处理。
store-goes-on = 存储已恢复：机器人重新接收新消息。
store-strangers = 存储里还有账号 `{ $account }` 的 { $count } 项没有做完，而这个机器人没有这个账号：请把账号加回来，或者不去管它。
pending-events = { $count } 个事件（{ $names }）
pending-sends = { $count } 条待发消息（{ $names }）
setting-missing = 缺少设置 `{ $key }`
setting-invalid = 设置 `{ $key }`：

# puppets
puppets-there-are = 现有：{ $names }
puppets-title = { $name }：{ $summary }
puppets-live = 真实运行
puppets-live-own = 自己就是平台
puppets-live-never = 从未
puppets-live-run = 最近一次：{ $day }
puppets-says = 可发送
puppets-can = 支持
puppets-cannot = 不支持
puppets-because = { $what }：{ $why }
puppets-setting = 设置
puppets-docs = 详见
setting-required = ，必填
setting-secret = ，保密

# ledger
ledger-in = 收：收到 { $received } = 已处理 { $handled } + 合并 { $merged } + 拒绝 { $rejected } + 过期 { $expired } + 未完成 { $pending }（差额 { $residue }；重复 { $duplicates }）
ledger-out = 发：要说 { $said } = 已发送 { $sent } + 合并 { $merged } + 拒绝 { $rejected } + 过期 { $expired } + 发送失败 { $dead } + 放弃 { $dropped } + 不确定 { $maybe_sent } + 未完成 { $pending }（差额 { $residue }）
ledger-account = 账号 `{ $name }`：
ledger-reason = { "     " }{ $name }：{ $count }
ledger-errors = { "     " }{ $name } 出错：{ $count }

# token
token-sni = 服务器名：{ $sni } — 客户端按这个名字核对网关的证书
token-insecure = { "  " }警告：没人起名时客户端就用 `insecure`，它不能证明网关是谁；证书只按这个名字核对。在不属于你的网络里，请自己起一个名字。
token-uuid-name = { "  " }`uuid` 是没有专属服务的令牌常用的名字
token-named = { "  " }服务或证书的名字是 `{ $sni }`
token-lowercased = { "  " }大小写不作区分，一律按小写比较
token-secret = 密钥：已填写，不显示
token-guessable = { "  " }警告：这不是随机的 UUID（第 4 版），可能被人猜到
token-keep = 拿到令牌就能使用这个账号，请像密码一样保管。
token-third-party = 这会把令牌（它是密钥）发给第三方 { $authority }，由它回答网关在哪里。
token-send = 发给 { $authority } 吗？[y/N]
token-is-empty = 内容是空的
token-has-quotes = 两边带着引号，请去掉
token-has-spaces = 中间有空格或换行
token-is-not-ascii = 里面有拉丁字母和数字以外的字符，也许是全角的 `＿`
token-has-no-name = UUID 前面没有服务器名，较新的客户端会拒绝；请在前面加上 `insecure_`，或者服务商给的名字
token-has-no-underscore = 服务器名和 UUID 之间没有 `_`
token-ends-early = 到 `_` 就结束了，缺少 UUID
token-has-no-uuid = 最后一个 `_` 后面不是 UUID（32 位 0-9 和 a-f，一般带连字符）

# config
config-fine = { $file } 没有问题：{ $accounts }，{ $plugins }
config-accounts = { $count } 个账号
config-plugins = { $count } 个插件
config-nearest = ；是不是想写 `{ $name }`？
config-more = …… 还有 { $count } 处
config-explain = `wechaty explain { $code }` 会进一步说明某个错误码。

# account
account-line = 账号 { $id }：puppet { $puppet }
account-hidden = 已设置（不显示）
account-added = 账号 `{ $id }` 已写入 { $file }
account-secrets = 密钥保存在 { $file }（{ $names }）；.gitignore 已让版本库忽略这个文件
account-checked = { $puppet } 已核实凭据：{ $who }
account-unchecked = 无法向 { $puppet } 核实凭据：{ $why }。仍然添加这个账号吗？[y/N]
account-expected = 设置 `{ $key }`：应为 { $expected }
account-optional = ，直接回车则不填
account-ask-puppet = 使用哪个平台（{ $names }）
account-ask-id = 给账号起个名字，在这个机器人里使用
account-ask-name = 给机器人起个名字；它要记住的内容保存在以此命名的文件里
account-needed = 这一项必须回答；按 Ctrl-C 放弃。
account-file-name = 它要记住的内容保存在旁边以此命名的文件里
account-file-plugin = 机器人做什么，先从这个开始：收到 `ding` 就回答 `dong`。用 `wechaty plugin list` 查看其他插件。
account-nameless = { $file } 里没有 `name`：机器人结束时会忘掉登录状态和没做完的事。请在开头写上 `name = "{ $name }"`。
account-idle = { $file } 里没有启用任何 [[plugin]]：机器人不会回答任何人。用 `wechaty plugin list` 查看有哪些插件。
account-next = 接下来：wechaty run{ $file }

# plugin
plugin-fine = { $file } 里的插件没有问题
plugin-example = 示例

# doctor
doctor-ok = 正常
doctor-warn = 注意
doctor-fail = 失败
doctor-version = 版本
doctor-platform = 系统
doctor-compiler = 编译器
doctor-locale = 区域设置
doctor-locale-found = { $name }={ $value }，语言 { $lang }
doctor-terminal = 终端
doctor-terminal-both = 输入和输出都是终端
doctor-terminal-out = 输入是文件或管道，输出是终端
doctor-terminal-in = 输入是终端，输出是文件或管道
doctor-terminal-none = 输入和输出都是文件或管道
doctor-variable = 环境变量
doctor-variables-none = 没有设置 Wechaty 的变量
doctor-variable-shown = 已设置 { $name }={ $value }
doctor-variable-hidden = 已设置 { $name }（{ $length } 个字符，不显示内容）
doctor-variable-old = { $name } 是旧名称，现在叫 { $new }
doctor-variable-unknown = 设置了 { $name }，但没有地方读取它
doctor-variable-unknown-near = 设置了 { $name }，但没有地方读取它；是不是想写 { $near }？
doctor-port-8080 = 端口 8080
doctor-port-8788 = 端口 8788
doctor-port-free = 空闲
doctor-port-taken = 已被占用
doctor-folder = 当前目录
doctor-folder-writable = { $path } 可写
doctor-folder-refused = { $path } 不可写：{ $why }
doctor-config = 配置文件 BOT.toml
doctor-config-none = 这里没有
doctor-config-fine = 没有问题
doctor-config-more = 还有 { $count } 处：用 `wechaty config check` 查看
doctor-store = 存储
doctor-store-nameless = 没有：有名字的机器人才会保留存储
doctor-store-none = 还没有；机器人启动时会创建 { $path }
doctor-store-found = { $path }：{ $size } MiB，表结构版本 { $version }
doctor-store-older = { $path }：{ $size } MiB，表结构版本 { $version }；下次启动时升级到 { $newest }
doctor-store-most = 存储上限
doctor-store-unbounded = 没有设置；可以用 [store] 的 `most_mib` 设置
doctor-store-usage = 上限 { $most } MiB，已用 { $size } MiB（{ $percent } %）
doctor-store-writable = 存储写入
doctor-writable = 文件和目录都可写
doctor-store-read-only = { $path } 只能读取
doctor-store-room = 磁盘
doctor-room-found = { $path } 还有 { $free } MiB 可用
doctor-room-unknown = 系统不提供 { $path } 的可用空间
doctor-store-pending = 待处理
doctor-store-pending-found = 事件 { $events } 个，待发消息 { $sends } 条，死信 { $dead } 封
doctor-files = 可打开文件数
doctor-files-found = { $now }；机器人运行时会提高到 { $most }
doctor-clock = 时钟
doctor-clock-found = 1970 年以来 { $seconds } 秒
doctor-zone = 时区
doctor-zone-unknown = 未设置

# new
new-made = { $name } 已建在 { $path }。接下来：
new-next-config = { "  " }进入目录试运行：cd { $path } && wechaty run --clock virtual --record out.jsonl
new-next-rust = { "  " }测试并运行：cd { $path } && cargo test && WECHATY_PUPPET=terminal cargo run
new-next-library = { "  " }测试：cd { $path } && cargo test
new-from-path = 它依赖 { $path } 里的 Wechaty，也就是编译本程序的源码目录，或 `--path` 指定的目录。
new-from-git = 它依赖 { $url } 上的 Wechaty。如果取不到，请指定一个源码目录：`--path CHECKOUT`。

# what is pending
pending-message = 消息 { $id }
pending-send = 发给 { $to } 的{ $kind }

# 消息和事件的种类，以及它们的结局
sayable-text = 文本
sayable-attachment = 附件
sayable-audio = 语音
sayable-emoticon = 表情
sayable-image = 图片
sayable-video = 视频
sayable-contact = 名片
sayable-location = 位置
sayable-mini-program = 小程序
sayable-url = 链接
sayable-post = 动态
sayable-markdown = Markdown 文本
sayable-card = 卡片
sayable-menu = 菜单
sayable-forward = 转发
sayable-other = 其他
event-scan = 扫码
event-verify-code = 验证码
event-login = 登录
event-logout = 退出登录
event-ready = 就绪
event-message = 消息
event-post = 动态
event-friendship = 好友申请
event-room-invite = 入群邀请
event-room-join = 有人进群
event-room-leave = 有人退群
event-room-topic = 群名变更
event-room-announce = 群公告变更
event-action = 按钮或菜单的点击
event-message-edit = 编辑消息
event-message-recall = 撤回消息
event-reaction = 表情回应
event-message-delivered = 消息已送达
event-message-read = 消息已读
event-dirty = 缓存失效
event-dong = dong 回应
event-heartbeat = 心跳
event-reset = 重置
event-error = 出错
event-tick = 定时任务
event-message-status = 消息状态
event-reply = 答复
end-pending = 未完成
end-handled = 已处理
end-handled-none = 已处理（没有匹配的处理函数）
end-handled-diverged = 已处理（重新运行时没有再说同样的话）
end-merged = 合并
end-rejected = 拒绝
end-expired = 过期
end-sent = 已发送
end-dead = 发送失败
end-dropped = 放弃
end-maybe-sent = 不确定
reason-refused = 平台拒绝
reason-unsupported = 平台不支持
reason-rate-limited = 发送太快
reason-not-found = 找不到对象
reason-invalid = 内容无效
reason-not-logged-in = 没有登录
reason-login-refused = 登录被拒绝
reason-unreachable = 连接不上平台
reason-poison = 反复使程序崩溃
reason-quota = 配额用完
reason-paused = 已暂停
reason-full = 排队已满
reason-too-large = 太大
reason-file = 文件读不到
reason-late = 过了时限
reason-max-age = 太旧

# trace
trace-in = 收：{ $account } 的{ $kind }，{ $conversation }
trace-in-account = 收：{ $account } 的{ $kind }
trace-out = 发：{ $account } 的{ $kind }，发给 { $conversation }
trace-person = 对方：　　{ $value }
trace-text = 内容：　　{ $value }
trace-id = 平台编号：{ $value }
trace-event = 事件：　　{ $value }
trace-receipt = 回执：　　{ $value }
trace-cause = 起因：　　{ $value }
trace-received = 收到时间：{ $value }
trace-committed = 落盘时间：{ $value }
trace-acked = 确认时间：{ $value }
trace-said = 说出时间：{ $value }
trace-tried = 首次发送：{ $value }
trace-by = 处理函数：{ $value }
trace-attempts = 尝试次数：{ $value }
trace-end = 结果：　　{ $value }
trace-why = 原因：　　“{ $value }”
trace-waits = 正在等待：{ $value }
trace-delivered = 送达时间：{ $value }
trace-read = 已读时间：{ $value }
trace-told-by = { $time }，最先是 { $person }
trace-zone = 时间按机器人的时区 { $zone } 显示
trace-zone-here = 时间按本机时区 { $zone } 显示；在 BOT.toml 里写 `timezone` 可以指定机器人的时区
wait-time = 指定的时间 { $time }
wait-earlier = 同一会话里更早的一条消息，回执 { $receipt }
wait-answer = 平台的答复
wait-again = 上次发送失败，等待重试
wait-bot = 机器人没有运行，等它启动
wait-account = 它的账号，机器人（已）没有这个账号
wait-login = 账号登录
wait-connection = 账号的连接断了，等它恢复
wait-quota = 平台配额已用完，{ $time } 起可以再发
wait-quota-written = 平台配额已用完，要等对方再发来消息
wait-breaker = 平台没有响应，每次只放一条消息去试探（熔断器已断开）
wait-store = 存储已满，或暂时不能写入
wait-pace = 账号的发送频率限制，等轮到它

# dead letters
dead-letters-none = 没有死信。
dead-letters-row = { $number }  { $time }  { $reason }，尝试 { $attempts } 次  { $account } → { $conversation }：{ $words }
dead-letters-why = 原因：“{ $why }”
dead-letters-receipt = 回执 { $receipt }
dead-letters-answer = 回执 { $receipt }，出自事件 { $event }
dead-letters-untouched = 什么都没有改动；保持原样的有：{ $numbers }。
dead-letters-revived-these = 已放回发件箱：{ $numbers }。
dead-letters-dropped-these = 已丢弃：{ $numbers }。
dead-letters-revived = 已把 { $count } 封死信放回发件箱。
dead-letters-dropped = 已丢弃 { $count } 封死信。

# backup
backup-made = { $path } 保存了到此刻为止提交的全部内容：{ $size } MiB。
backup-restored = { $path } 已恢复到备份时的样子：当时账号 { $accounts } 共收到 { $events } 个事件。备份之后删除过的个人数据又回来了，请再执行一次 `wechaty forget`。
backup-strangers = 备份里的账号是 { $accounts }，这个机器人没有；它的账号是 { $known }。
backup-identity = 备份里账号 `{ $account }` 登录的是 `{ $there }`，而这个机器人里登录的是 `{ $here }`。
backup-unsent = 备份时有 { $count } 条消息还没发完，下次启动会发送；备份之后已经发出的会再发一次。
backup-kept = 原来的存储保留为 { $path }。
backup-unmade = 写不了的是备份文件；机器人和它的存储都没有变化。
backup-unread = 读不了的是存储文件，不是备份文件写不了；现在没有生成备份。
backup-made-unsound = 存储本身已损坏，副本与它一样；副本没有删除，因为它可能是现有最好的一份。

# forget
forget-kept = `restore` 保留了以前的存储，其中可能还有这些话：{ $paths }。不再需要时请删除它们。
forget-owed = { $path } 的空闲位置或它的 `-wal` 中可能还留有被删除者的话：有程序正在读取它（比如正在备份），或者磁盘不允许重写文件。机器人会反复重试直到完成，重启后也会继续；在此期间 `/readyz` 会显示 `forgetting`。
forget-whom = 叫这个名字的人：{ $ids }
forgotten = { $count ->
    [0] 归档里没有 { $person } 的任何记录。
   *[other] 已删除 { $person } 的 { $count } 条记录。
  }

# bench
bench-ready = 立即完成的处理函数
bench-yielding = 让出一次的处理函数
bench-bare = 裸通道
bench-latency = 每秒 200,000 条时的延迟
bench-idle = 空闲内存
bench-cold = 冷启动
bench-memory = 内存中，{ $conversations } 个会话，同时最多 { $most } 条消息
bench-speed = 每秒 { $speed } 条，为极限的 { $part }
bench-times = 中位数 { $median } 微秒，99% 在 { $most } 微秒以内
bench-idle-found = 1,000 个账号、100,000 个空闲会话：常驻内存 { $mib } MiB
bench-cold-found = 从冷启动到第一次回答：{ $ms } 毫秒（20 次的中位数）
bench-durable = 持久：每个事件和每次发送都在确认或回执之前提交
bench-durable-1000 = 同时 1,000 条
bench-durable-64 = 同时 64 条
bench-durable-1 = 同时 1 条
bench-durable-latency = 每秒 25,000 条时的延迟
bench-durable-file = 一百万条消息
bench-durable-history = 同上，保留历史
bench-durable-p99 = { "  " }每秒 25,000 条时：p99 { $us } 微秒
bench-gateway = 网关，对照同样字节、同一客户端的裸 tonic 服务器；上传的内容它直接丢弃，网关则写入文件
bench-gateway-round = 双方轮流
bench-gateway-file = 传输文件时的内存
bench-gateway-unary = 单次调用：每秒 { $ours } 次，裸 { $bare } 次：{ $part }
bench-gateway-p50 = 一次调用的中位数：{ $ours } 微秒，裸 { $bare } 微秒
bench-gateway-p99 = 99% 的调用在 { $ours } 微秒以内，裸 { $bare } 微秒
bench-gateway-events = 事件：每秒 { $ours } 个，裸 { $bare } 个：{ $part }
bench-gateway-upload = 上传：每秒 { $ours } MiB，裸 { $bare } MiB：{ $part }
bench-gateway-download = 下载：每秒 { $ours } MiB，裸 { $bare } MiB：{ $part }
bench-gateway-growth = 传输大文件时内存增加 { $mib } MiB
bench-durable-size = 一百万条消息之后的文件：{ $mib } MiB，保留历史时 { $history } MiB
