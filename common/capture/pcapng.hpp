// The blocks of a pcapng file that a capture needs (draft-ietf-opsawg-pcapng): appended to a buffer, and read back.
// Numbers are written in the host's byte order, which the section header tells.
#pragma once

#include <cstdint>
#include <cstdio>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.hpp"
#include "common/base/result.hpp"

namespace pnfs::capture {

enum class Direction : uint8_t { in = 1, out = 2 };  // as in epb_flags

using Bytes = std::span<const std::byte>;

// One section header and one interface, Ethernet, times in nanoseconds.
void append_section(std::string& out);
void append_interface(std::string& out, std::string_view name);
// Names of addresses: 4 or 16 bytes each.
struct AddressName {
  std::string address;  // raw bytes
  std::string name;
};
void append_names(std::string& out, std::span<const AddressName> names);

// One frame, given in pieces. An empty comment is none.
void append_packet(std::string& out, uint32_t interface, WallTime at, Direction direction, std::span<const Bytes> frame,
                   std::string_view comment);

// A packet as it was read back; views into the block.
struct Packet {
  uint32_t interface = 0;
  uint64_t nanoseconds = 0;  // since 1970
  Direction direction = Direction::in;
  Bytes frame;
  std::string_view comment;
};

enum class BlockType : uint32_t { interface = 1, names = 4, packet = 6, section = 0x0A0D0D0A };

// Reads the files that append_* wrote, block by block. Not a reader of pcapng in general.
class Reader {
 public:
  static Result<Reader> open(const std::string& path);
  Reader(Reader&& other) noexcept;
  Reader& operator=(Reader&&) = delete;
  ~Reader();

  // The next packet, or nothing at the end. A block that was cut off (a process was killed) is the end. Errc::corrupt:
  // this is no file of ours.
  Result<bool> next(Packet& packet);
  const std::string& interface_name() const { return interface_; }  // known once a packet was read

 private:
  Reader(std::FILE* file, std::string path) : file_(file), path_(std::move(path)) {}
  std::FILE* file_;
  std::string path_;
  std::string interface_;
  std::vector<std::byte> block_;
};

}  // namespace pnfs::capture
