/* Preloaded into User-Mode Linux kernels whose buffer for a process's floating-point state has a fixed size (2696 bytes
 * in 6.1). The host wants a whole XSAVE area in PTRACE_SETREGSET, and on CPUs with AMX that is about 11 KiB: it answers
 * EFAULT and the guest panics. This ptrace() completes a short area with zeros and clears the bits of the components
 * that lie beyond it, so that they get their initial state. */
#define _GNU_SOURCE
#include <cpuid.h>
#include <elf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { XSTATE_BV_OFFSET = 512, FIRST_EXTENDED = 2, LAST_COMPONENT = 62, LEGACY_COMPONENTS = 3 };

static unsigned char area[128 * 1024] __attribute__((aligned(64)));
static size_t area_used; /* what the host's area measures; 0: not known yet */

/* The state components (bits as in XSTATE_BV) that lie entirely within the first `bytes` of a standard-format area. */
static uint64_t components_within(size_t bytes) {
  static size_t asked;
  static uint64_t answer;
  unsigned component;
  if (asked == bytes) return answer;
  answer = LEGACY_COMPONENTS;
  for (component = FIRST_EXTENDED; component <= LAST_COMPONENT; ++component) {
    unsigned size, offset, flags, unused;
    if (!__get_cpuid_count(0xd, component, &size, &offset, &flags, &unused)) break;
    if (size != 0 && (flags & 1) == 0 && (size_t)offset + size <= bytes) answer |= UINT64_C(1) << component;
  }
  asked = bytes;
  return answer;
}

static size_t host_area_size(long pid) {
  struct iovec whole = {area, sizeof area};
  if (syscall(SYS_ptrace, PTRACE_GETREGSET, pid, (long)NT_X86_XSTATE, &whole) != 0) return 0;
  return whole.iov_len;
}

static long set_padded(long pid, const struct iovec* given) {
  struct iovec whole = {area, area_used};
  uint64_t present;
  memcpy(area, given->iov_base, given->iov_len);
  memset(area + given->iov_len, 0, area_used - given->iov_len);
  memcpy(&present, area + XSTATE_BV_OFFSET, sizeof present);
  present &= components_within(given->iov_len);
  memcpy(area + XSTATE_BV_OFFSET, &present, sizeof present);
  return syscall(SYS_ptrace, PTRACE_SETREGSET, pid, (long)NT_X86_XSTATE, &whole);
}

long ptrace(enum __ptrace_request request, ...) {
  va_list arguments;
  va_start(arguments, request);
  const long pid = va_arg(arguments, pid_t);
  void* address = va_arg(arguments, void*);
  void* data = va_arg(arguments, void*);
  va_end(arguments);

  if (request == PTRACE_SETREGSET && (long)address == NT_X86_XSTATE) {
    const struct iovec* given = data;
    if (area_used == 0) area_used = host_area_size(pid);
    if (given->iov_len > XSTATE_BV_OFFSET + sizeof(uint64_t) && area_used > given->iov_len)
      return set_padded(pid, given);
  }
  if (request == PTRACE_PEEKTEXT || request == PTRACE_PEEKDATA || request == PTRACE_PEEKUSER) {
    /* The C library returns the word, the system call stores it. */
    long word = 0;
    const long result = syscall(SYS_ptrace, request, pid, address, &word);
    if (result < 0) return result;
    errno = 0;
    return word;
  }
  return syscall(SYS_ptrace, request, pid, address, data);
}
