package foreign

import "strings"

// automaticTTL is what Cloudflare answers where its TTL is automatic, which is 1 in the files that it exports.
const automaticTTL = 300

// cloudflareTags is in the comment of each record that Cloudflare exports.
const cloudflareTags = "cf_tags="

// isOfCloudflare reports whether a zone file is an export of Cloudflare, by its name servers or its comments.
func isOfCloudflare(text string) bool {
	return strings.Contains(text, ".ns.cloudflare.com.") || strings.Contains(text, cloudflareTags)
}

// listAutomatic lists the records with an automatic TTL at the first of them.
func (im *importer) listAutomatic() {
	if len(im.automatics) > 0 {
		im.skip(im.automatics[0], "TTL 1 is automatic at Cloudflare, which answers %d, and so do the definitions%s", automaticTTL,
			moreLikeThis(len(im.automatics)))
	}
}
