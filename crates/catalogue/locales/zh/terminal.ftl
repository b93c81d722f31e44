# 终端 puppet 自己说的话。

terminal-help = 输入一行，机器人就会读到。命令：
    { "  " }/as 名字      以这个名字说话
    { "  " }/room 群名    在这个群里说话；只写 /room 则回到私聊
    { "  " }/image 文件   发送图片
    { "  " }/who          看看有谁
    { "  " }/help         显示这段说明
    以 // 开头的一行，是以 / 开头的消息。消息里的 ⏎ 表示换行。按 Ctrl-D 或 Ctrl-C 结束。
terminal-unprinted = 机器人说的话无法输出：{ $why }。在机器人结束之前会一直重试。
terminal-line = 第 { $number } 行：{ $why }
terminal-too-long = 有 { $length } 字节，最多只读 { $most } 字节：已跳过
terminal-not-utf8 = 第 { $at } 个字节不是 UTF-8：已跳过这一行
terminal-as-whom = /as 后面要写名字：/as 小美
terminal-which-image = /image 后面要写文件：/image cat.png
terminal-no-command = 没有 /{ $name } 这个命令；输入 /help 查看全部（消息可以用 // 开头）
terminal-not-the-bot = 机器人自己会说话，请换一个名字
terminal-you-are = 你现在是 { $name }
terminal-in-room = 你现在在 { $topic } 群里
terminal-alone-now = 你现在和机器人私聊
terminal-alone = 和机器人私聊
terminal-with = 在 { $topic } 群里，成员有 { $members }
terminal-who = 你是 { $name }，{ $place }；认识的有 { $names }
terminal-long-name = 名字有 { $length } 字节，最多 { $most } 字节
terminal-many-people = 已经有 { $count } 个人，不能再多了
terminal-many-rooms = 已经有 { $count } 个群，不能再多了
terminal-no-image = 无法发送 { $path }：{ $why }
terminal-to = bot 发到 { $place }
