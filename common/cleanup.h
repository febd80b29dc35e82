/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scoped cleanup: declare and assign in one statement, leave by any return.
 * Never used beside goto in the same function.
 */
#ifndef VCPULAT_CLEANUP_H
#define VCPULAT_CLEANUP_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(func) __attribute__((cleanup(func)))

/**
 * DEFINE_CLEANUP - one line per type buys leak-free early returns
 * @type: the pointer type
 * @func: its NULL-safe destructor; the attribute is then spelled _cleanup_(funcp)
 */
#define DEFINE_CLEANUP(type, func)                                                                                     \
	static inline void func##p(type *p)                                                                            \
	{                                                                                                              \
		if (*p)                                                                                                \
			func(*p);                                                                                      \
	}

static inline void cleanup_free(void *p)
{
	free(*(void **)p);
}

static inline void cleanup_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void cleanup_fclose(FILE **f)
{
	if (*f)
		fclose(*f);
}

static inline void cleanup_closedir(DIR **d)
{
	if (*d)
		closedir(*d);
}

#define _cleanup_free_ _cleanup_(cleanup_free)
#define _cleanup_close_ _cleanup_(cleanup_close)
#define _cleanup_fclose_ _cleanup_(cleanup_fclose)
#define _cleanup_closedir_ _cleanup_(cleanup_closedir)

/* Hand a pointer or descriptor over: the local is left empty, so its cleanup does nothing. */
#define TAKE_PTR(p)                                                                                                    \
	({                                                                                                             \
		__typeof__(p) p_ = (p);                                                                                \
		(p) = NULL;                                                                                            \
		p_;                                                                                                    \
	})
#define TAKE_FD(fd)                                                                                                    \
	({                                                                                                             \
		int fd_ = (fd);                                                                                        \
		(fd) = -1;                                                                                             \
		fd_;                                                                                                   \
	})

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif
