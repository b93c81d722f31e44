# 网页聊天的界面文字（简体中文）。

app-name = Wechaty 聊天
skip = 跳到输入框
sidebar = 会话与群聊
conversations = 会话
rooms-open = 可加入的群聊
rooms-none = 暂时没有别的群聊，点加号可以新建一个。
me-hint = 你在这个标签页里的身份
you = 我
bot = 机器人
bot-subtitle = 机器人 · 随时回复
back = 返回列表
close = 关闭
cancel = 取消
save = 保存
download = 下载

# 入口
join = 开始聊天
join-title = 打个招呼吧
join-lead = 和机器人聊聊，或者去群里认识新朋友。
join-name = 你的名字
join-placeholder = 比如：小明
join-hint = 留空会自动起一个名字，之后随时可改。
join-token = 访问令牌
join-token-hint = 请向机器人的管理者索取带令牌的链接，或直接填写令牌。
name-change = 修改名字
rejoined = 服务器刚刚重启过，你已用“{ $name }”的身份重新加入。

# 开关与连接
theme-light = 切换到浅色模式
theme-dark = 切换到深色模式
connecting = 正在连接…
connected = 已连接
no-connection = 暂时连不上服务器，请稍后再试。

# 群聊
room-new = 新建群聊
room-topic = 群聊的主题
room-topic-example = 比如：周末爬山
room-create = 创建
room-enter = 加入群聊
room-leave = 退出群聊
room-leave-text = 将退出“{ $name }”。只要群还在，以后可以再加入。
members = 群成员
members-of = “{ $name }”的成员
members-count = { $count } 位成员

# 消息
messages = 消息列表
message-by = { $name }，{ $time }
message-actions = 消息操作
new-messages = 以下是新消息
empty = 还没有消息
unread = { $count } 条未读
jump = 回到最新消息
jump-new = 回到最新消息，{ $count } 条未读
day-today = 今天
day-yesterday = 昨天
edited = 已编辑
recalled-own = 你撤回了一条消息
recalled-other = { $name } 撤回了一条消息
quote-jump = 查看被引用的消息
quote-gone = 找不到被引用的消息了。
quote-recalled = 该消息已撤回
choices = 选项
reactions = 表情回应
reaction-of = { $names } 回应了 { $reaction }
names-more = { $names } 和另外 { $count } 人
typing-short = 正在输入…
typing-one = { $name } 正在输入…
typing-many = { $count } 人正在输入…
act-react = 表情回应
act-quote = 引用回复
act-edit = 编辑
act-recall = 撤回
recall-title = 撤回这条消息？
recall-text = 撤回后，大家只会看到一条撤回提示，且无法恢复。

# 输入框
compose = 写消息
message-field = 输入消息
hint-keys = Enter 发送，Shift+Enter 换行
hint-size = 文件不超过 { $size }
send = 发送
attach = 发送文件，不超过 { $size }
drop = 松开即可发送，每个文件不超过 { $size }
paste-title = 剪贴板里的图片
editing = 编辑消息
quoting = 回复 { $name }
too-long = 超出 { $count } 个字
file-too-large = “{ $name }”有 { $size }，超过了 { $limit } 的上限。
mention = 可以提到的人
mention-count = 有 { $count } 个匹配，用方向键和回车选择。
upload-progress = 正在发送 { $name }
delivery-sending = 发送中
delivery-sent = 已发送
delivery-failed = 发送失败
send-failed = 发送失败：连不上服务器。
retry = 重试
discard = 放弃

# 消息类型（列表里只有一行时使用）
kind-text = 消息
kind-markdown = 消息
kind-image = 图片
kind-audio = 语音
kind-video = 视频
kind-file = 文件
kind-url = 链接
kind-location = 位置
kind-contact = 名片
kind-card = 卡片
kind-menu = 菜单
kind-note = 提示
image-open = 查看大图：{ $name }
