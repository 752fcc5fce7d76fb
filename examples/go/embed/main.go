// Command embed copies a module and puts into it what it is written against: the custom section of the object file that
// wit-bindgen makes for C.
//
//	embed plugin_component_type.o core.wasm plugin.wasm
package main

import (
	"bytes"
	"encoding/binary"
	"log"
	"os"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 4 {
		log.Fatal("usage: embed OBJECT MODULE OUTPUT")
	}
	module := append(read(os.Args[2]), section(read(os.Args[1]))...)
	if err := os.WriteFile(os.Args[3], module, 0o644); err != nil {
		log.Fatal(err)
	}
}

func read(path string) []byte {
	data, err := os.ReadFile(path)
	if err != nil {
		log.Fatal(err)
	}
	return data
}

// section finds the section whose name begins with component-type: a byte 0, its size, the size of its name, its name, and what
// it holds.
func section(object []byte) []byte {
	for rest := object[8:]; len(rest) > 1; {
		size, n := binary.Uvarint(rest[1:])
		if n <= 0 || size > uint64(len(rest)) {
			break
		}
		end := 1 + n + int(size)
		if _, m := binary.Uvarint(rest[1+n:]); rest[0] == 0 && bytes.HasPrefix(rest[1+n+m:], []byte("component-type")) {
			return rest[:end]
		}
		rest = rest[end:]
	}
	log.Fatal("no section component-type in the object")
	return nil
}
