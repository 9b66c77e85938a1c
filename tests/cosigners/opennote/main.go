// Opennote reads a signed note as Go's checksum database does, with the vkeys of its arguments (also
// those of cosigners), and prints the name and, of a cosigner, the time of each signature that is good.
package main

import (
	"fmt"
	"io"
	"log"
	"os"

	cosigned "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
)

func main() {
	verifiers := []note.Verifier{}
	for _, vkey := range os.Args[1:] {
		verifier, err := note.NewVerifier(vkey)
		if err != nil {
			verifier, err = cosigned.NewVerifierForCosignatureV1(vkey)
		}
		if err != nil {
			log.Fatalf("%s: %v", vkey, err)
		}
		verifiers = append(verifiers, verifier)
	}
	raw, err := io.ReadAll(os.Stdin)
	if err != nil {
		log.Fatal(err)
	}
	opened, err := note.Open(raw, note.VerifierList(verifiers...))
	if err != nil {
		log.Fatal(err)
	}
	for i, signature := range opened.Sigs {
		if i == 0 {
			fmt.Println(signature.Name)
			continue
		}
		time, err := cosigned.CoSigV1Timestamp(signature)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(signature.Name, time.Unix())
	}
}
