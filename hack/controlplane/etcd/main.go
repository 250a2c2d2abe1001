// Command etcd is go.etcd.io/etcd/server/v3/etcdmain with a main of its own: the root module go.etcd.io/etcd/v3, which
// holds the real one, drags in tests whose modules do not resolve.
package main

import (
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
)

func main() { etcdmain.Main(os.Args) }
