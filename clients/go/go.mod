module ding-dong

go 1.16

require github.com/wechaty/go-wechaty v0.4.15
