// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/kvm_check.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/stop.h"

#define MEMORY_BYTES 0x8000
#define PAYLOAD_AT 0x1000
#define PORT 0x10
#define TIME_LIMIT_MS 5000

/*
 * The guest: says 'R' in real mode, 'P' in protected mode, 'L' with paging (long mode's
 * tables, PAE and EFER.LME), then halts. Loaded at PAYLOAD_AT, which is also its CS base.
 */
__asm__(".pushsection .rodata\n"
	"kvm_payload:\n"
	".code16\n"
	"	mov $'R', %al\n"
	"	out %al, $0x10\n"
	"	lgdtl %cs:(1f - kvm_payload)\n"
	"	mov %cr0, %eax\n"
	"	or $1, %al\n"
	"	mov %eax, %cr0\n"
	"	ljmpl $8, $(0x1000 + 3f - kvm_payload)\n"
	".balign 8\n"
	"1:	.word 31\n"
	"	.long 0x1000 + 2f - kvm_payload\n"
	".balign 8\n"
	"2:	.quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff, 0x00af9b000000ffff\n"
	".code32\n"
	"3:	mov $16, %ax\n"
	"	mov %ax, %ds\n"
	"	mov $'P', %al\n"
	"	out %al, $0x10\n"
	"	movl $0x3003, 0x2000\n" /* PML4 -> PDPT -> PD -> 2 MiB at 0 */
	"	movl $0x4003, 0x3000\n"
	"	movl $0x83, 0x4000\n"
	"	mov %cr4, %eax\n"
	"	or $0x20, %eax\n"
	"	mov %eax, %cr4\n"
	"	mov $0x2000, %eax\n"
	"	mov %eax, %cr3\n"
	"	mov $0xc0000080, %ecx\n"
	"	rdmsr\n"
	"	or $0x100, %eax\n"
	"	wrmsr\n"
	"	mov %cr0, %eax\n"
	"	or $0x80000000, %eax\n"
	"	mov %eax, %cr0\n"
	"	ljmpl $24, $(0x1000 + 4f - kvm_payload)\n"
	".code64\n"
	"4:	mov $16, %ax\n"
	"	mov %ax, %ss\n"
	"	mov $0x5800, %esp\n"
	"	movl $(0x1000 + 5f - kvm_payload), 0x5000 + 16 * 3\n" /* IDT, vector 3: low half of the gate */
	"	movw $24, 0x5000 + 16 * 3 + 2\n"
	"	movl $0x8e00, 0x5000 + 16 * 3 + 4\n"
	"	movw $0x0fff, 0x5ff6\n"
	"	movl $0x5000, 0x5ff8\n"
	"	lidt 0x5ff6\n"
	"	mov $'L', %al\n"
	"	out %al, $0x10\n"
	"	int3\n"
	"	mov $'I', %al\n"
	"	out %al, $0x10\n"
	"	hlt\n"
	"5:	mov $'X', %al\n"
	"	out %al, $0x10\n"
	"	iretq\n"
	"kvm_payload_end:\n"
#ifdef __x86_64__
	".code64\n"
#endif
	".popsection\n");
extern const unsigned char kvm_payload[];
extern const unsigned char kvm_payload_end[];

/* What the child found; its exit status. */
enum outcome {
	OUTCOME_WORKS,
	OUTCOME_SETUP,
	OUTCOME_REAL,
	OUTCOME_PROTECTED,
	OUTCOME_LONG,
	OUTCOME_EXCEPTION,
	OUTCOME_MAX
};

static const char *const outcome_text[] = {
	[OUTCOME_SETUP] = "cannot create a VM with a vCPU",
	[OUTCOME_REAL] = "a vCPU does not run",
	[OUTCOME_PROTECTED] = "a vCPU does not get from real to protected mode",
	[OUTCOME_LONG] = "a vCPU does not get from protected to long mode",
	[OUTCOME_EXCEPTION] = "a vCPU in long mode cannot take an exception",
};

/* Returns the vCPU's descriptor, its shared page in @run. */
static int make_vcpu(int kvm, struct kvm_run **run)
{
	void *memory = mmap(NULL, MEMORY_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct kvm_userspace_memory_region region = { .memory_size = MEMORY_BYTES };
	int vm = ioctl(kvm, KVM_CREATE_VM, 0);
	int bytes = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	int vcpu;

	if (memory == MAP_FAILED || vm < 0 || bytes < 0)
		return -1;
	memcpy((char *)memory + PAYLOAD_AT, kvm_payload, (size_t)(kvm_payload_end - kvm_payload));
	region.userspace_addr = (uintptr_t)memory;
	ioctl(vm, KVM_SET_TSS_ADDR, 0xfffbd000UL); /* needed by VMX, unknown to others */
	if (ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region) < 0)
		return -1;
	vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
	*run = vcpu < 0 ? MAP_FAILED : mmap(NULL, (size_t)bytes, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
	return *run == MAP_FAILED ? -1 : vcpu;
}

static int set_start(int kvm, int vcpu)
{
	struct kvm_regs regs = { .rip = 0, .rflags = 2 };
	struct kvm_sregs sregs;
	struct {
		struct kvm_cpuid2 head;
		struct kvm_cpuid_entry2 entries[256];
	} cpuid = { .head = { .nent = 256 } };

	/* Long mode exists for a guest only if its CPUID says so. */
	if (ioctl(kvm, KVM_GET_SUPPORTED_CPUID, &cpuid) < 0 || ioctl(vcpu, KVM_SET_CPUID2, &cpuid) < 0)
		return -1;
	if (ioctl(vcpu, KVM_GET_SREGS, &sregs) < 0)
		return -1;
	sregs.cs.base = PAYLOAD_AT;
	sregs.cs.selector = PAYLOAD_AT >> 4;
	if (ioctl(vcpu, KVM_SET_SREGS, &sregs) < 0)
		return -1;
	return ioctl(vcpu, KVM_SET_REGS, &regs);
}

/* Run until the guest says its next letter. */
static bool says(int vcpu, const struct kvm_run *run, char letter)
{
	if (ioctl(vcpu, KVM_RUN, 0) < 0 || run->exit_reason != KVM_EXIT_IO || run->io.port != PORT)
		return false;
	return *((const char *)run + run->io.data_offset) == letter;
}

static enum outcome run_payload(void)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	struct kvm_run *run = NULL;
	int vcpu = kvm < 0 ? -1 : make_vcpu(kvm, &run);

	if (vcpu < 0 || set_start(kvm, vcpu) < 0)
		return OUTCOME_SETUP;
	if (!says(vcpu, run, 'R'))
		return OUTCOME_REAL;
	if (!says(vcpu, run, 'P'))
		return OUTCOME_PROTECTED;
	if (!says(vcpu, run, 'L'))
		return OUTCOME_LONG;
	if (!says(vcpu, run, 'X') || !says(vcpu, run, 'I'))
		return OUTCOME_EXCEPTION;
	return OUTCOME_WORKS;
}

/* The child reports through a pipe: its end of file is the time to look. */
static int wait_outcome(pid_t pid, int fd, bool bare, struct err *err)
{
	unsigned char outcome = OUTCOME_MAX;
	int ret = stop_poll(fd, POLLIN, TIME_LIMIT_MS);

	if (ret == 0 && read(fd, &outcome, 1) != 1)
		outcome = OUTCOME_MAX;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	if (ret == -ETIMEDOUT)
		return err_set(err, -ENOTSUP, "KVM opens, but a vCPU hangs for %d s; " LAB_HINT, TIME_LIMIT_MS / 1000);
	if (ret < 0)
		return ret;
	if (outcome == OUTCOME_WORKS || (bare && outcome == OUTCOME_EXCEPTION))
		return 0;
	return err_set(err, -ENOTSUP, "KVM opens, but %s; " LAB_HINT,
		       outcome < OUTCOME_MAX ? outcome_text[outcome] : "the test of it died");
}

static int check(bool bare, struct err *err)
{
	_cleanup_close_ int read_fd = -1;
	unsigned char outcome;
	int fds[2];
	pid_t pid;

	if (access("/dev/kvm", R_OK | W_OK) < 0)
		return err_set(err, -ENOTSUP, "no usable /dev/kvm (%s); " LAB_HINT, strerror(errno));
	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(err, -errno, "pipe");
	read_fd = fds[0];
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		outcome = (unsigned char)run_payload();
		_exit(write(fds[1], &outcome, 1) == 1 ? 0 : 1);
	}
	close(fds[1]);
	if (pid < 0)
		return err_sys(err, -errno, "fork");
	return wait_outcome(pid, read_fd, bare, err);
}

int kvm_check(struct err *err)
{
	return check(false, err);
}

int kvm_check_bare(struct err *err)
{
	return check(true, err);
}
