// A ding-dong bot of the published Go SDK. Who serves it, it reads from the environment.
package main

import (
	"fmt"
	"os"
	"time"

	"github.com/wechaty/go-wechaty/wechaty"
	wp "github.com/wechaty/go-wechaty/wechaty-puppet"
	"github.com/wechaty/go-wechaty/wechaty-puppet/schemas"
	"github.com/wechaty/go-wechaty/wechaty/user"
)

func main() {
	bot := wechaty.NewWechaty(wechaty.WithPuppetOption(wp.Option{
		Token:    os.Getenv("WECHATY_PUPPET_SERVICE_TOKEN"),
		Endpoint: os.Getenv("WECHATY_PUPPET_SERVICE_ENDPOINT"),
		Timeout:  time.Minute,
	}))
	bot.OnScan(func(_ *wechaty.Context, qrCode string, status schemas.ScanStatus, _ string) {
		fmt.Printf("scan to log in (%v): %s\n", status, qrCode)
	}).OnLogin(func(_ *wechaty.Context, self *user.ContactSelf) {
		fmt.Printf("%s logged in\n", self.Name())
	}).OnMessage(func(_ *wechaty.Context, message *user.Message) {
		fmt.Printf("%s: %s\n", message.Talker().Name(), message.Text())
		if message.Self() || message.Type() != schemas.MessageTypeText || message.Text() != "ding" {
			return
		}
		if _, err := message.Say("dong"); err != nil {
			fmt.Println("cannot answer:", err)
		}
	})
	// Until it is interrupted.
	bot.DaemonStart()
}
