# 网页聊天的服务端在会话中显示的文字（中文）。页面自身的文字见 webchat.ftl。

# 没有填写名字的访客。
guest = 访客 { $number }

note-created = { $name } 创建了群
note-came = { $name } 进来了
note-left = { $name } 离开了
note-removed = { $name } 被移出了群
note-topic = { $name } 把群名改为：{ $topic }
