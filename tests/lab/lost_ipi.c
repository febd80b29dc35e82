// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sends interrupts to a CPU that does little but enter and leave a guest, one after the
 * other, and waits for each to be taken: lost_ipi SECONDS. QEMU's TCG now and then loses
 * one (host/lab_machine.c); this program then hangs for ever, unless the APIC is made to look again.
 * Prints how many there were, and how many were late.
 */
#include <fcntl.h>
#include <linux/kvm.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define CODE_AT 0x1000
#define LATE_NS 20000000

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) < 0)
		fail("sched_setaffinity");
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/* A guest of two instructions, the first of which ends guest mode each time. */
static int make_guest(int kvm)
{
	static const uint8_t code[] = { 0x0f, 0xa2, 0xeb, 0xfc }; /* cpuid; jmp to it */
	int vm = ioctl(kvm, KVM_CREATE_VM, 0);
	uint8_t *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct kvm_userspace_memory_region region = { .guest_phys_addr = CODE_AT,
						      .memory_size = 4096,
						      .userspace_addr = (uintptr_t)page };
	struct kvm_regs regs = { .rip = CODE_AT, .rflags = 2 };
	struct kvm_sregs sregs;
	int vcpu;

	memcpy(page, code, sizeof(code));
	if (vm < 0 || ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region) < 0)
		fail("KVM_CREATE_VM");
	vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
	if (vcpu < 0 || ioctl(vcpu, KVM_GET_SREGS, &sregs) < 0)
		fail("KVM_CREATE_VCPU");
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	if (ioctl(vcpu, KVM_SET_SREGS, &sregs) < 0 || ioctl(vcpu, KVM_SET_REGS, &regs) < 0)
		fail("KVM_SET_REGS");
	return vcpu;
}

static void *run_guest(void *arg)
{
	pin(1);
	while (ioctl(*(int *)arg, KVM_RUN, 0) == 0)
		;
	fail("KVM_RUN");
	return NULL;
}

int main(int argc, char *argv[])
{
	uint64_t seconds = argc > 1 ? strtoull(argv[1], NULL, 10) : 10;
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	int vcpu = kvm < 0 ? -1 : make_guest(kvm);
	uint64_t sent = 0, late = 0, longest = 0, end;
	pthread_t thread;

	if (vcpu < 0 || pthread_create(&thread, NULL, run_guest, &vcpu))
		fail("/dev/kvm");
	pin(0);
	if (syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) < 0)
		fail("membarrier");
	sleep(1);
	for (end = now_ns() + seconds * 1000000000; now_ns() < end; sent++) {
		uint64_t start = now_ns(), took;

		syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
		took = now_ns() - start;
		late += took > LATE_NS;
		longest = took > longest ? took : longest;
	}
	printf("%llu sent, %llu late, longest %llu us\n", (unsigned long long)sent, (unsigned long long)late,
	       (unsigned long long)longest / 1000);
	return 0;
}
