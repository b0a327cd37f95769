/* Digests: see digest.h. */
#include "base/digest.h"

#include <openssl/err.h>
#include <openssl/evp.h>

static struct {
	EVP_MD *md[DIGESTS]; /* NULL where there is none */
	EVP_MD_CTX *context;
	bool loaded;
} library;

void
digest_load(void)
{
	static const char *const names[DIGESTS] = {"MD5", "SHA1", "SHA256"};
	if (library.loaded)
		return;
	library.loaded = true;
	(void)OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	library.context = EVP_MD_CTX_new();
	for (unsigned i = 0; i < DIGESTS; i++)
		library.md[i] = EVP_MD_fetch(NULL, names[i], NULL);
	ERR_clear_error();
}

size_t
digest(enum digest_kind kind, const void *octets, size_t len, uint8_t out[DIGEST_MAX])
{
	unsigned n = 0;
	digest_load();
	if (library.md[kind] == NULL || library.context == NULL ||
	    EVP_DigestInit_ex2(library.context, library.md[kind], NULL) != 1 ||
	    EVP_DigestUpdate(library.context, octets, len) != 1 ||
	    EVP_DigestFinal_ex(library.context, out, &n) != 1)
		return 0;
	return n;
}
