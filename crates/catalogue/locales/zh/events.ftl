# 关于事件和 webhook 的请求错在哪里，中文。

events-id = { $id } 不是发送过的事件编号。
events-streams = 已打开 { $most } 个，不能更多。
events-type = 没有类型为 { $type } 的事件。
events-socket = 请要求 `websocket` 协议，版本 13。
webhook-is-paused = 目前不向 { $id } 发送任何事件。
