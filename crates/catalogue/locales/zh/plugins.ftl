# 插件声明里的说明：简介和各项设置。
plugin-auto-reply = 按规则回答：文本包含、等于或匹配某些内容时
plugin-auto-reply-cooldown-seconds = 同一规则在同一会话里，多少秒内只回答一次，规则自己写明的除外；期间本该回答的消息会被静默处理。默认 0，每次都回答。
plugin-auto-reply-mention = 在群里是否必须 @机器人，规则自己写明的除外。默认不必。
plugin-auto-reply-rules = 规则，重要的写在前面。
plugin-ding-dong = 收到 `ding` 就回 `dong`：新账号首先可以拿它来试
plugin-ding-dong-contact = 私聊时回答谁。默认所有人。
plugin-ding-dong-ding = 收到什么才回答。默认正好是 `ding`。
plugin-ding-dong-dong = 依次说什么。默认 `dong`；留空则什么也不说。
plugin-ding-dong-mention = 在群里是否必须 @机器人。默认不必。
plugin-ding-dong-room = 在哪些群里。默认全部。
plugin-ding-dong-self-too = 自己发的消息是否也回答。默认不回答。
plugin-event-logger = 每个事件记一行日志，不含登录码；除非另有要求，也不含消息内容
plugin-event-logger-events = 记录哪些事件；不写则全部。
plugin-event-logger-texts = 是否记录消息内容（会截短）。
plugin-qr-code-terminal = 在终端里画出登录二维码，不给别人看
plugin-qr-code-terminal-small = 是否把二维码画得尽可能小。默认否。
plugin-schedule = 按时间表发消息，发给个人或发到群里
plugin-schedule-jobs = 什么时候、对谁、说什么。
plugin-welcome = 欢迎进群的人和新好友
plugin-welcome-cooldown-seconds = 同一个群多少秒内只欢迎一次。默认 0，每次都欢迎。
plugin-welcome-friend = 对新好友说什么；`{"{"}name{"}"}` 是好友的名字。默认什么也不说。
plugin-welcome-greeting = 说什么；`{"{"}topic{"}"}` 是群名，`{"{"}name{"}"}` 是新人的名字。不写 `{"{"}name{"}"}` 则在开头 @他们。默认 `welcome to {"{"}topic{"}"}!`；不知道群名时为 `welcome!`。
plugin-welcome-greetings = 个别群的欢迎词，按群的 id 或群名填写。
plugin-welcome-room = 在哪些群里。默认全部。
plugin-welcome-together = 多人同时进群时是否合在一起欢迎。默认是。

# qr-code-terminal 说明的登录步骤。
scan-code = 扫码登录 { $account }：
scan-too-long = { $account } 的登录内容太长，无法生成二维码。
scan-waiting = { $account } 登录：等待扫码
scan-scanned = { $account } 登录：已扫码，请在手机上确认
scan-confirmed = { $account } 登录：已确认
scan-timeout = { $account } 登录：二维码已过期，稍后会有新的
scan-cancel = { $account } 登录：已取消
scan-unknown = { $account } 登录：平台给出了这里不认识的步骤
