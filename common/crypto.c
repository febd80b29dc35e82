// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"

DEFINE_CLEANUP(EVP_MD_CTX *, EVP_MD_CTX_free)

static int hash_content(int fd, EVP_MD_CTX *ctx)
{
	unsigned char buf[65536];
	ssize_t n;

	do {
		n = read(fd, buf, sizeof(buf));
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0 && !EVP_DigestUpdate(ctx, buf, (size_t)n))
			return -EIO;
	} while (n != 0);
	return 0;
}

int fs_sha256(const char *path, char ret_hex[static 65], struct err *err)
{
	_cleanup_(EVP_MD_CTX_freep) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	unsigned char digest[32];
	struct stat st;
	int ret;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(err, -errno, "cannot open '%s'", path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, -EINVAL, "cannot hash '%s': not a regular file", path);
	if (!ctx || !EVP_DigestInit_ex(ctx, EVP_sha256(), NULL))
		return err_sys(err, -ENOMEM, "cannot hash '%s'", path);
	ret = hash_content(fd, ctx);
	if (ret < 0)
		return err_sys(err, ret, "cannot hash '%s'", path);
	if (!EVP_DigestFinal_ex(ctx, digest, NULL))
		return err_sys(err, -EIO, "cannot hash '%s'", path);
	for (size_t i = 0; i < sizeof(digest); i++)
		snprintf(ret_hex + 2 * i, 3, "%02x", digest[i]);
	return 0;
}
