// SPDX-License-Identifier: GPL-2.0-or-later
#include "agents/bare.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "agents/probe_loop.h"
#include "common/cleanup.h"
#include "guest/bare/payload.h"

/* The guest's memory. The first piece holds what it starts with. */
#define TABLES_AT 0x1000 /* PML4, PDPT, 4 page directories */
#define STACK_TOP 0x10000
#define CODE_AT 0x10000
#define BOOT_BYTES 0x20000
#define RING_AT (1ULL << 30)
#define MEMORY_AT (2ULL << 30)
#define MEMORY_MAX (1ULL << 30)
#define MAPPED_GIB 4

#define PAGE_ENTRIES 512
#define PRESENT_WRITABLE 3U
#define HUGE_PAGE 0x80U /* of 2 MiB, in a page directory */

#define CR0_PE 0x1U
#define CR0_NE 0x20U
#define CR0_WP 0x10000U
#define CR0_PG 0x80000000U
#define CR4_PAE 0x20U
#define EFER_LONG 0x500U /* LME, LMA */
#define RFLAGS_FIXED 0x2U
#define RFLAGS_INTERRUPTS 0x200U
#define TSS_AT 0xfffbd000UL

enum slot { SLOT_BOOT, SLOT_RING, SLOT_MEMORY };

struct bare {
	unsigned char *boot; /* memory at 0 */
	int vm;
	int vcpu;
	uint64_t rflags;
	const struct kvm_run *run;
};

/* All of the guest's first gibibytes at the same virtual addresses. */
static void fill_tables(unsigned char *boot)
{
	uint64_t *pml4 = (uint64_t *)(boot + TABLES_AT);
	uint64_t *pdpt = pml4 + PAGE_ENTRIES;
	uint64_t *pd = pdpt + PAGE_ENTRIES;

	pml4[0] = (TABLES_AT + PROBE_PAGE) | PRESENT_WRITABLE;
	for (uint64_t i = 0; i < MAPPED_GIB; i++)
		pdpt[i] = (TABLES_AT + (2 + i) * PROBE_PAGE) | PRESENT_WRITABLE;
	for (uint64_t i = 0; i < MAPPED_GIB * PAGE_ENTRIES; i++)
		pd[i] = i << 21 | HUGE_PAGE | PRESENT_WRITABLE;
}

static int fill_boot(struct bare *b)
{
	size_t bytes = (size_t)(__stop_bare_payload - __start_bare_payload);

	b->boot = mmap(NULL, BOOT_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (b->boot == MAP_FAILED)
		return -errno;
	if (bytes > BOOT_BYTES - CODE_AT)
		return -E2BIG;
	if (mlock(b->boot, BOOT_BYTES) < 0)
		return -errno;
	fill_tables(b->boot);
	memcpy(b->boot + CODE_AT, __start_bare_payload, bytes);
	return 0;
}

static int set_slot(const struct bare *b, enum slot slot, uint64_t at, void *memory, size_t bytes)
{
	const struct kvm_userspace_memory_region region = { .slot = slot,
							    .guest_phys_addr = at,
							    .memory_size =
								    (bytes + PROBE_PAGE - 1) & ~(PROBE_PAGE - 1ULL),
							    .userspace_addr = (uintptr_t)memory };

	return ioctl(b->vm, KVM_SET_USER_MEMORY_REGION, &region) < 0 ? -errno : 0;
}

/*
 * KVM leaves the waiting for a page to a kworker where it can halt the vCPU meanwhile: that takes a local APIC, and
 * interrupts that are allowed (kernel arch/x86/kvm/x86.c, kvm_can_do_async_pf()). None ever comes.
 */
static int add_apic(const struct bare *b)
{
	const struct kvm_enable_cap split = { .cap = KVM_CAP_SPLIT_IRQCHIP };

	return ioctl(b->vm, KVM_ENABLE_CAP, &split) < 0 ? -errno : 0;
}

static int make_vm(struct bare *b, struct probe_shared *s)
{
	const struct stimulus_state *act = &s->act_state;
	size_t ring_bytes = sizeof(s->ring) + s->ring.capacity * sizeof(s->ring.record[0]);
	_cleanup_close_ int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	void *run;
	int bytes;
	int ret;

	b->vm = kvm < 0 ? -1 : ioctl(kvm, KVM_CREATE_VM, 0);
	bytes = b->vm < 0 ? -1 : ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (bytes < 0)
		return -errno;
	ioctl(b->vm, KVM_SET_TSS_ADDR, TSS_AT); /* needed by VMX, unknown to others */
	ret = set_slot(b, SLOT_BOOT, 0, b->boot, BOOT_BYTES);
	if (ret == 0)
		ret = set_slot(b, SLOT_RING, RING_AT, &s->ring, ring_bytes);
	if (ret == 0 && s->act)
		ret = set_slot(b, SLOT_MEMORY, MEMORY_AT, act->page, act->pages * act->page_bytes);
	if (ret == 0 && act->async)
		ret = add_apic(b);
	if (ret < 0)
		return ret;
	b->vcpu = ioctl(b->vm, KVM_CREATE_VCPU, 0);
	run = b->vcpu < 0 ? MAP_FAILED : mmap(NULL, (size_t)bytes, PROT_READ | PROT_WRITE, MAP_SHARED, b->vcpu, 0);
	b->run = run;
	return run == MAP_FAILED ? -errno : 0;
}

static int enter_long_mode(const struct bare *b)
{
	const struct kvm_segment data = { .limit = ~0U, .selector = 16, .type = 3, .present = 1, .s = 1, .g = 1 };
	struct kvm_sregs sregs;

	if (ioctl(b->vcpu, KVM_GET_SREGS, &sregs) < 0)
		return -errno;
	sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = data;
	sregs.ss.db = 1;
	sregs.cs = data;
	sregs.cs.selector = 8;
	sregs.cs.type = 11;
	sregs.cs.l = 1;
	sregs.tr.type = 11;
	sregs.cr0 = CR0_PE | CR0_NE | CR0_WP | CR0_PG;
	sregs.cr3 = TABLES_AT;
	sregs.cr4 = CR4_PAE;
	sregs.efer = EFER_LONG;
	return ioctl(b->vcpu, KVM_SET_SREGS, &sregs) < 0 ? -errno : 0;
}

/* A kernel older than 5.16 cannot be told: its guest's clock is read like any other's. */
static int take_host_clock(const struct bare *b)
{
	uint64_t offset = 0;
	struct kvm_device_attr attr = { .group = KVM_VCPU_TSC_CTRL,
					.attr = KVM_VCPU_TSC_OFFSET,
					.addr = (uintptr_t)&offset };

	if (ioctl(b->vcpu, KVM_HAS_DEVICE_ATTR, &attr) < 0)
		return 0;
	if (ioctl(b->vcpu, KVM_SET_DEVICE_ATTR, &attr) < 0)
		return -errno;
	offset = 1;
	if (ioctl(b->vcpu, KVM_GET_DEVICE_ATTR, &attr) < 0)
		return -errno;
	return offset == 0 ? 0 : -ERANGE;
}

int bare_prepare(struct probe_shared *s)
{
	struct bare *b = calloc(1, sizeof(*b));
	int ret = b ? 0 : -ENOMEM;

	s->bare = b;
	if (b)
		b->rflags = s->act_state.async ? RFLAGS_INTERRUPTS | RFLAGS_FIXED : RFLAGS_FIXED;
	if (s->act && (!s->act_state.pages || s->act_state.pages * s->act_state.page_bytes > MEMORY_MAX))
		ret = -ENOTSUP;
	if (ret == 0)
		ret = fill_boot(b);
	if (ret == 0)
		ret = make_vm(b, s);
	if (ret == 0)
		ret = enter_long_mode(b);
	return ret < 0 ? ret : take_host_clock(b);
}

static uint64_t code_at(const void *function)
{
	return CODE_AT + (uint64_t)((const unsigned char *)function - __start_bare_payload);
}

/* Calls a function of the payload in the guest, as the System V ABI does. */
static int call(const struct bare *b, const void *function, const uint64_t argument[static 5])
{
	struct kvm_regs regs = { .rip = code_at(function),
				 .rsp = STACK_TOP - sizeof(uint64_t),
				 .rflags = b->rflags,
				 .rdi = argument[0],
				 .rsi = argument[1],
				 .rdx = argument[2],
				 .rcx = argument[3],
				 .r8 = argument[4] };
	int ret;

	*(uint64_t *)(b->boot + regs.rsp) = code_at(payload_return);
	if (ioctl(b->vcpu, KVM_SET_REGS, &regs) < 0)
		return -errno;
	do
		ret = ioctl(b->vcpu, KVM_RUN, 0);
	while (ret < 0 && errno == EINTR);
	if (ret < 0)
		return -errno;
	return b->run->exit_reason == KVM_EXIT_IO && b->run->io.port == PAYLOAD_PORT ? 0 : -EIO;
}

int bare_calibrate(struct probe_shared *s, uint64_t turns)
{
	return call(s->bare, payload_calibrate, (uint64_t[5]){ RING_AT, turns });
}

int bare_spin(struct probe_shared *s)
{
	const struct stimulus_state *act = &s->act_state;

	return call(s->bare, payload_spin,
		    (uint64_t[5]){ RING_AT, MEMORY_AT, s->act ? act->pages : 0, act->page_bytes, act->numbered });
}
