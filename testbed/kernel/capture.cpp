#include "testbed/kernel/capture.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>

#include "testbed/kernel/process.hpp"
#include "testbed/kernel/sockets.hpp"

namespace pnfs::kernel {

namespace {

constexpr unsigned kBlockBytes = 256 << 10;  // at least one packet that segmentation offload left whole (64 KiB)
constexpr unsigned kBlocks = 256;
constexpr unsigned kRetireMs = 20;  // a block that is not full is handed over after this time
constexpr int kIdleMs = 3 * kRetireMs;
constexpr int kEndMs = 10'000;

// https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap: times in nanoseconds, Ethernet.
struct PcapFileHeader {
  uint32_t magic = 0xa1b23c4d;
  uint16_t major = 2, minor = 4;
  uint32_t reserved[2] = {};
  uint32_t longest = 262144;
  uint32_t link_type = 1;
};
struct PcapPacketHeader {
  uint32_t seconds, nanoseconds, captured, length;
};

// What the recording process says at its end.
struct Report {
  Capture::Counts counts;
  int failed = 0;  // an errno
};

// The recording process.
class Recorder {
 public:
  Recorder(FILE* file, int packets) : file_(file), packets_(packets) {}

  int run(int control) {
    blocks_ = ::mmap(nullptr, size_t(kBlockBytes) * kBlocks, PROT_READ | PROT_WRITE, MAP_SHARED, packets_, 0);
    if (blocks_ == MAP_FAILED) return errno;
    for (bool ending = false;;) {
      while (take_block()) {
      }
      pollfd waits[] = {{packets_, POLLIN, 0}, {ending ? -1 : control, POLLIN, 0}};
      const int ready = ::poll(waits, 2, ending ? kIdleMs : -1);
      if (ready == 0) break;
      if (waits[1].revents != 0) ending = true;
    }
    return std::fflush(file_) == 0 ? 0 : errno;
  }

  Capture::Counts counts() {
    tpacket_stats_v3 statistics{};
    socklen_t length = sizeof statistics;
    if (::getsockopt(packets_, SOL_PACKET, PACKET_STATISTICS, &statistics, &length) == 0)
      counts_.dropped = statistics.tp_drops;
    return counts_;
  }

 private:
  bool take_block() {
    auto* block = reinterpret_cast<tpacket_block_desc*>(static_cast<char*>(blocks_) + size_t(next_) * kBlockBytes);
    uint32_t& status = block->hdr.bh1.block_status;
    if ((__atomic_load_n(&status, __ATOMIC_ACQUIRE) & TP_STATUS_USER) == 0) return false;
    const char* at = reinterpret_cast<const char*>(block) + block->hdr.bh1.offset_to_first_pkt;
    for (uint32_t i = 0; i < block->hdr.bh1.num_pkts; ++i) {
      const auto* packet = reinterpret_cast<const tpacket3_hdr*>(at);
      const PcapPacketHeader header{packet->tp_sec, packet->tp_nsec, packet->tp_snaplen, packet->tp_len};
      std::fwrite(&header, sizeof header, 1, file_);
      std::fwrite(at + packet->tp_mac, 1, packet->tp_snaplen, file_);
      ++counts_.packets;
      at += packet->tp_next_offset;
    }
    __atomic_store_n(&status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
    next_ = (next_ + 1) % kBlocks;
    return true;
  }

  FILE* file_;
  int packets_;
  void* blocks_ = nullptr;
  unsigned next_ = 0;
  Capture::Counts counts_;
};

int receive_descriptor(int from) {
  char byte = 0;
  iovec piece{&byte, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  if (::recvmsg(from, &message, MSG_CMSG_CLOEXEC) != 1) return -1;
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header == nullptr || header->cmsg_type != SCM_RIGHTS) return -1;
  int fd = -1;
  std::memcpy(&fd, CMSG_DATA(header), sizeof fd);
  return fd;
}

// Keeps only what it needs, so that nobody waits for the end of a pipe because of it. Ends when its control socket
// does; signals from the terminal are not for it.
[[noreturn]] void be_recorder(int file_fd, int control_fd) {
  ::dup2(file_fd, 0);
  ::dup2(control_fd, 1);
  ::close_range(2, ~0U, 0);
  FILE* file = ::fdopen(0, "w");
  PcapFileHeader begin;
  std::fwrite(&begin, sizeof begin, 1, file);
  Report report;
  if (const int packets = receive_descriptor(1); packets >= 0) {
    Recorder recorder(file, packets);
    report.failed = recorder.run(1);
    report.counts = recorder.counts();
  }
  if (std::ferror(file) != 0 && report.failed == 0) report.failed = ENOSPC;
  if (std::fclose(file) != 0 && report.failed == 0) report.failed = errno;
  ::_exit(::write(1, &report, sizeof report) == sizeof report ? 0 : 1);
}

Result<ScopedFd> open_ring(const std::string& interface) {
  ScopedFd fd(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
  if (!fd) {
    return error(Errc::permission, "a packet capture needs a packet socket, which is not allowed here: {}",
                 std::strerror(errno));
  }
  const int version = TPACKET_V3;
  tpacket_req3 ring{};
  ring.tp_block_size = kBlockBytes;
  ring.tp_block_nr = kBlocks;
  ring.tp_frame_size = 2048;
  ring.tp_frame_nr = kBlockBytes / ring.tp_frame_size * kBlocks;
  ring.tp_retire_blk_tov = kRetireMs;
  sockaddr_ll name{};
  name.sll_family = AF_PACKET;
  name.sll_protocol = htons(ETH_P_ALL);
  name.sll_ifindex = int(::if_nametoindex(interface.c_str()));
  if (name.sll_ifindex == 0) return error(Errc::not_found, "there is no interface {} to capture from", interface);
  if (::setsockopt(fd.get(), SOL_PACKET, PACKET_VERSION, &version, sizeof version) != 0 ||
      ::setsockopt(fd.get(), SOL_PACKET, PACKET_RX_RING, &ring, sizeof ring) != 0 ||
      ::bind(fd.get(), reinterpret_cast<sockaddr*>(&name), sizeof name) != 0)
    return error(Errc::io, "setting up the packet capture on {}: {}", interface, std::strerror(errno));
  return fd;
}

}  // namespace

Capture::~Capture() {
  if (pid_ > 0) (void)end();
}

Result<void> Capture::prepare(const std::string& file) {
  const ScopedFd low(::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!low) return error(Errc::io, "cannot write the capture '{}': {}", file, std::strerror(errno));
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    return error(Errc::io, "making a socket pair: {}", std::strerror(errno));
  const ScopedFd ours(ends[0]), theirs(ends[1]);
  auto high_file = lift(low.get());
  auto high_theirs = lift(theirs.get());
  auto high_ours = lift(ours.get());
  if (!high_file || !high_theirs || !high_ours) return error(Errc::io, "too many open files");
  const pid_t pid = ::fork();
  if (pid == 0) be_recorder(high_file->get(), high_theirs->get());
  if (pid < 0) return error(Errc::io, "starting the packet capture: {}", std::strerror(errno));
  pid_ = pid;
  control_ = std::move(*high_ours);
  return {};
}

Result<void> Capture::begin(const std::string& interface) {
  const auto ring = open_ring(interface);
  if (!ring) return ring.error();
  return send_descriptor(control_.get(), ring->get());
}

Result<Capture::Counts> Capture::end() {
  ::shutdown(control_.get(), SHUT_WR);
  Report report;
  pollfd wait{control_.get(), POLLIN, 0};
  const bool told = ::poll(&wait, 1, kEndMs) == 1 &&
                    ::recv(control_.get(), &report, sizeof report, MSG_WAITALL) == ssize_t(sizeof report);
  if (!told) ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
  control_.reset();
  if (!told) return error(Errc::timeout, "the packet capture did not end; its file is not complete");
  if (report.failed != 0)
    return error(Errc::io, "the packet capture is not complete: {}", std::strerror(report.failed));
  return report.counts;
}

}  // namespace pnfs::kernel
