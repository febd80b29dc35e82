// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Memory as after a migration that began before all of it was copied: its pages are there, but nobody may see one
 * before its content has come. The first touch of each is a minor fault, which userfaultfd hands to a thread here; that
 * writes the content through a second mapping and lets the touch go on (UFFDIO_CONTINUE). With async=yes it is a
 * kworker that waits for it in a bare guest's stead (KVM's asynchronous page fault).
 */
#include "agents/stimulus.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/cleanup.h"

#define SMALL_PAGE 4096U
#define HUGE_PAGE (2U << 20)
#define PAGES_DEFAULT 128
#define PAGES_MAX 512
#define STALE 0xee

struct faulting {
	int uffd;
	unsigned char *seen;   /* the mapping whose touches fault */
	unsigned char *behind; /* the same memory; touches of it do not */
	size_t page_bytes;
	unsigned long pages;
	size_t next; /* page to touch */
};

static int map_twice(struct faulting *f)
{
	const size_t bytes = f->pages * f->page_bytes;
	const unsigned int huge = f->page_bytes == HUGE_PAGE ? MFD_HUGETLB | MFD_HUGE_2MB : 0;
	_cleanup_close_ int fd = memfd_create("vcpulat-minor", MFD_CLOEXEC | huge);

	if (fd < 0 || ftruncate(fd, (off_t)bytes) < 0)
		return -errno;
	f->seen = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	f->behind = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (f->seen == MAP_FAILED || f->behind == MAP_FAILED)
		return -errno;
	memset(f->behind, STALE, bytes);
	return 0;
}

static int watch(struct faulting *f)
{
	const bool huge = f->page_bytes == HUGE_PAGE;
	struct uffdio_api api = { .api = UFFD_API,
				  .features = huge ? UFFD_FEATURE_MINOR_HUGETLBFS : UFFD_FEATURE_MINOR_SHMEM };
	struct uffdio_register range = { .range = { (uintptr_t)f->seen, f->pages * f->page_bytes },
					 .mode = UFFDIO_REGISTER_MODE_MINOR };

	f->uffd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	if (f->uffd < 0)
		return -errno;
	if (ioctl(f->uffd, UFFDIO_API, &api) < 0)
		return errno == EINVAL ? -ENODEV : -errno; /* a kernel without this feature */
	return ioctl(f->uffd, UFFDIO_REGISTER, &range) < 0 ? -errno : 0;
}

/* The content of a page is its number. */
static void resolve(const struct faulting *f, uint64_t address)
{
	uint64_t number = (address - (uintptr_t)f->seen) / f->page_bytes;
	struct uffdio_continue go = { .range = { (uintptr_t)f->seen + number * f->page_bytes, f->page_bytes } };

	memcpy(f->behind + number * f->page_bytes, &number, sizeof(number));
	ioctl(f->uffd, UFFDIO_CONTINUE, &go);
}

static void *serve(void *ctx)
{
	const struct faulting *f = ctx;
	struct uffd_msg message;

	prctl(PR_SET_NAME, "vcpulat-uffd");
	while (read(f->uffd, &message, sizeof(message)) == sizeof(message))
		if (message.event == UFFD_EVENT_PAGEFAULT)
			resolve(f, message.arg.pagefault.address);
	return NULL;
}

static int read_params(const json_t *params, struct faulting *f)
{
	char memory[16] = "shmem";
	int ret = stimulus_param(params, "memory", memory, sizeof(memory));

	if (ret < 0 && ret != -ENOENT)
		return ret;
	if (strcmp(memory, "shmem") != 0 && strcmp(memory, "hugetlb") != 0)
		return -EINVAL;
	f->page_bytes = strcmp(memory, "hugetlb") == 0 ? HUGE_PAGE : SMALL_PAGE;
	return stimulus_param_number_or(params, "pages", 2, PAGES_MAX, &f->pages);
}

static uint64_t number_in(const struct faulting *f, size_t page)
{
	return *(volatile uint64_t *)(f->seen + page * f->page_bytes);
}

/* The first page is there from the beginning. */
static int prepare(struct stimulus_state *state, const json_t *params)
{
	struct faulting *f = calloc(1, sizeof(*f));
	pthread_t thread;
	int ret;

	if (!f)
		return -ENOMEM;
	*f = (struct faulting){ .pages = PAGES_DEFAULT, .next = 1 };
	state->own = f; /* lives as long as the worker */
	ret = read_params(params, f);
	if (ret == 0)
		ret = map_twice(f);
	if (ret == 0)
		ret = watch(f);
	if (ret == 0)
		ret = -pthread_create(&thread, NULL, serve, f);
	if (ret < 0)
		return ret;
	state->page = f->seen;
	state->pages = f->pages;
	state->page_bytes = f->page_bytes;
	state->numbered = true;
	state->async = stimulus_param_is(params, "async", "yes");
	return number_in(f, 0) == 0 ? 0 : -EIO;
}

static int act(struct stimulus_state *state)
{
	struct faulting *f = state->own;
	size_t page = f->next;

	if (page == f->pages)
		return -ENOSPC;
	f->next++;
	return number_in(f, page) == page ? 0 : -EIO;
}

const struct stimulus_ops *stimulus_minor_fault(void)
{
	static const struct stimulus_ops ops = {
		.name = "minor_fault", .role = STIMULUS_PRIMER, .bare = true, .prepare = prepare, .act = act
	};

	return &ops;
}
