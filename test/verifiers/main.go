// Command verifiers lets Go's mail libraries judge what the system's resolver says of a mail domain. It is a module of
// its own, so that these libraries are no requirements of mxsrv.
//
//	verifiers spf IP HELO SENDER                     go/spf: may IP send mail for SENDER, "" for none?
//	verifiers sign DOMAIN SELECTOR KEY <MAIL         go-msgauth: the mail with a signature more
//	verifiers dkim <MAIL                             go-msgauth: the verdict on each signature
//	verifiers dmarc DOMAIN                           go-msgauth: the policy
//	verifiers carddav DOMAIN                         go-webdav: the URL of the address books
//
// go-webdav is of a version before the one that looks up _carddavss instead of _carddavs.
//
// A verdict is one line on standard output; an error is one line on standard error, and exit code 1.
package main

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"blitiri.com.ar/go/spf"
	"github.com/emersion/go-msgauth/dkim"
	"github.com/emersion/go-msgauth/dmarc"
	"github.com/emersion/go-webdav/carddav"
)

// limit is how long a verdict may take.
const limit = 20 * time.Second

var verifiers = map[string]struct {
	words  int // after the name of the verifier
	verify func(ctx context.Context, words []string) error
}{
	"spf":     {3, checkHost},
	"sign":    {3, sign},
	"dkim":    {0, signatures},
	"dmarc":   {1, policy},
	"carddav": {1, addressBooks},
}

func main() {
	words := os.Args[1:]
	if len(words) == 0 || verifiers[words[0]].words != len(words)-1 || verifiers[words[0]].verify == nil {
		fmt.Fprintln(os.Stderr, "verifiers: see the comment of the command for what it takes")
		os.Exit(2)
	}
	time.AfterFunc(limit, func() { // go-msgauth and go-webdav take no context
		fmt.Fprintln(os.Stderr, "verifiers: no verdict within", limit)
		os.Exit(1)
	})
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	if err := verifiers[words[0]].verify(ctx, words[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "verifiers %s: %v\n", words[0], err)
		os.Exit(1)
	}
}

func checkHost(ctx context.Context, words []string) error {
	ip, helo, sender := net.ParseIP(words[0]), words[1], words[2]
	if sender == "" {
		sender = "postmaster@" + helo // RFC 7208 §2.4
	}
	result, err := spf.CheckHostWithSender(ip, helo, sender, spf.WithContext(ctx))
	fmt.Println("spf:", result, "-", err) // an error comes with every result, as its reason
	return nil
}

func sign(_ context.Context, words []string) error {
	key, err := privateKey(words[2])
	if err != nil {
		return err
	}
	return dkim.Sign(os.Stdout, os.Stdin, &dkim.SignOptions{Domain: words[0], Selector: words[1], Signer: key})
}

// privateKey returns the key of a file in PEM, as openssl and opendkim-genkey write it.
func privateKey(path string) (crypto.Signer, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New(path + ": not PEM")
	}
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return key, nil
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	return key.(crypto.Signer), nil
}

func signatures(context.Context, []string) error {
	found, err := dkim.Verify(os.Stdin)
	var verdicts []string
	for _, v := range found {
		verdict := "pass"
		if v.Err != nil {
			verdict = "fail (" + v.Err.Error() + ")"
		}
		verdicts = append(verdicts, verdict)
	}
	fmt.Println("dkim:", strings.Join(verdicts, ", "))
	return err
}

func policy(_ context.Context, words []string) error {
	record, err := dmarc.Lookup(words[0])
	if err != nil {
		return err
	}
	fmt.Println("dmarc:", record.Policy, strings.Join(record.ReportURIAggregate, " "))
	return nil
}

func addressBooks(_ context.Context, words []string) error {
	url, err := carddav.Discover(words[0])
	if err == nil {
		fmt.Println("carddav:", url)
	}
	return err
}
