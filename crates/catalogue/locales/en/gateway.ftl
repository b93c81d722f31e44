# The gateway's port, and how clients come to it, in English.

gateway-speaks-grpc = This port speaks gRPC to bots made with Wechaty, over HTTP/2 without TLS. There are no pages here.
gateway-speaks-grpc-tls = This port speaks gRPC to bots made with Wechaty, over HTTP/2 with TLS. There are no pages here.

# What is printed beside the lines that bring a bot here.
connect-needs-no-tls = This SDK speaks no TLS: start the gateway with --no-tls for it.
connect-needs-anonymous = This SDK sends no token: start the gateway with --no-tls --allow-anonymous, on loopback.
connect-own-certificate = Put the certificate of whoever signed yours in WECHATY_PUPPET_SERVICE_TLS_CA_CERT. Yours must be good for the part of the token before its last “_”.
connect-loopback = Only programs of this machine can connect. For others, start the gateway with --listen and an address of this machine.
connect-in-the-clear = Without TLS, everybody on the way can read the token and all messages.
connect-other-machine = On another machine, write the address of this one instead.

gateway-certificate-ends = warning: your certificate is good until { $day } only. Put a new one into the same files: it is taken without a restart.
gateway-certificate-over = warning: the time of your certificate was over on { $day }, and clients refuse it. Put a new one into the same files: it is taken without a restart.
gateway-account = Account { $account }
gateway-listens = Gateway on { $address }. Lines for each language, to be run before the bot:
gateway-token-name = warning: there is no server name before the UUID of this token. The bots of TypeScript and Go need the line WECHATY_PUPPET_SERVICE_TLS_SERVER_NAME below with it; `wechaty token generate` makes a token that needs none.
gateway-unused = warning: what the file says in { $sections } counts for `wechaty run` alone: `wechaty gateway` opens no other door.
