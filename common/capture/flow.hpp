// One TCP connection as the frames that would have carried it: Ethernet, IPv4 or IPv6, TCP, with the connection's real
// addresses and ports, sequence numbers without a gap, and right checksums. Only payload is observed; handshake, FIN and
// RST are drawn at the moments when the stream tells of them.
#pragma once

#include <string>
#include <vector>

#include "common/capture/file.hpp"
#include "common/io/stream.hpp"

namespace pnfs::capture {

// What is to be said about bytes [begin, end) of something sent. They end a packet of their own, which carries the text.
struct Remark {
  size_t begin = 0;
  size_t end = 0;
  std::string text;
};

class Flow {
 public:
  // `file` must outlive it. Draws the handshake.
  Flow(File& file, const io::Endpoint& local, const io::Endpoint& remote, bool accepted);

  void received(Bytes bytes);
  // Remarks in order, not overlapping.
  void sent(std::span<const Bytes> pieces, std::span<const Remark> remarks);
  // Nothing is sent, and something is to be said about that: an empty segment.
  void silence(std::string_view comment);
  // Each direction ends once; a reset ends both.
  void ended(Direction by, bool reset, std::string_view comment);

 private:
  struct Side {
    std::string mac;  // 6 bytes
    std::string ip;   // 4 or 16
    uint16_t port = 0;
    uint32_t next = 0;  // sequence number
    bool ended = false;
  };
  void segment(Direction direction, uint8_t flags, std::span<const Bytes> payload, std::string_view comment);
  Side& sender(Direction direction) { return direction == Direction::out ? local_ : remote_; }
  Side& receiver(Direction direction) { return direction == Direction::out ? remote_ : local_; }

  File& file_;
  Side local_, remote_;
  uint16_t next_id_ = 0;
  std::string head_;           // reused
  std::vector<Bytes> frame_;   // reused
};

}  // namespace pnfs::capture
