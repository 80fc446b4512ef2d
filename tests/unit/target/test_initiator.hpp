// A raw iSCSI initiator for tests: every PDU is built by hand, so that it can be wrong on purpose.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/io/simulation.hpp"
#include "common/io/stream.hpp"
#include "testbed/target/digest.hpp"
#include "testbed/target/pdu.hpp"
#include "testbed/target/text.hpp"

namespace pnfs::target {

struct Pdu {
  Header header;
  std::vector<uint8_t> data;
  bool lost = false;  // the connection ended instead

  Opcode opcode() const { return header.opcode(); }
  uint8_t status() const { return header.raw[3]; }
  // Key and code of the sense data, as 0x0629 0x00 in one number: 0x062900.
  uint32_t sense() const { return data.size() < 16 ? 0 : uint32_t(data[4]) << 16 | get16(&data[14]); }
};

class TestInitiator {
 public:
  TestInitiator(io::Simulation& sim, io::Network& network, io::Endpoint target) : sim_(sim) {
    auto connected = sim.run(network.connect(target));
    stream_ = std::move(connected.value());
  }

  bool header_digest = false;
  bool data_digest = false;
  uint32_t cmd_sn = 1;
  uint32_t next_tag = 1;
  uint8_t isid = 1;
  std::string name = "iqn.a:test";

  static std::string keys(std::string text) {
    for (char& c : text) {
      if (c == ' ') c = '\0';
    }
    return text + '\0';
  }

  Pdu login(std::string more = "", std::string target = "iqn.t:t") {
    Header h;
    h.set_opcode(Opcode::login, 0x87);
    h.raw[0] |= 0x40;
    h.raw[8] = 0x80;
    h.raw[13] = isid;
    h.set_word(24, cmd_sn);
    const std::string text = keys("InitiatorName=" + name + " TargetName=" + target + (more.empty() ? "" : " " + more));
    send(h, as_octets(text));
    Pdu reply = receive();
    header_digest = more.find("HeaderDigest=CRC32C") != more.npos;
    data_digest = more.find("DataDigest=CRC32C") != more.npos;
    return reply;
  }

  void send(Header header, ConstBytes data = {}, bool spoil_digest = false) {
    header.set_data_bytes(static_cast<uint32_t>(data.size()));
    std::vector<uint8_t> bytes(header.raw.begin(), header.raw.end());
    if (header_digest) append_digest(bytes, header.raw, {});
    bytes.insert(bytes.end(), data.begin(), data.end());
    const std::vector<uint8_t> padding(padding_of(static_cast<uint32_t>(data.size())));
    bytes.insert(bytes.end(), padding.begin(), padding.end());
    if (data_digest && !data.empty()) append_digest(bytes, data, padding);
    if (spoil_digest) bytes.back() ^= 1;
    send_bytes(bytes);
  }

  void send_bytes(ConstBytes bytes) { sim_.run(write_all(bytes)); }

  Pdu receive(Duration limit = std::chrono::seconds(5)) {
    Pdu pdu;
    std::vector<uint8_t> head(kHeaderBytes + (header_digest ? 4 : 0));
    if (!read(head, limit)) {
      pdu.lost = true;
      return pdu;
    }
    std::copy_n(head.begin(), kHeaderBytes, pdu.header.raw.begin());
    const uint32_t length = pdu.header.data_bytes();
    std::vector<uint8_t> rest(length + padding_of(length) + (data_digest && length ? 4 : 0));
    if (!rest.empty() && !read(rest, limit)) pdu.lost = true;
    if (data_digest && length) {
      const uint32_t crc = crc32c_add(crc32c_begin(), ConstBytes(rest).first(rest.size() - 4));
      digest_ok &= crc32c_matches(&rest[rest.size() - 4], crc);
    }
    rest.resize(length);
    pdu.data = std::move(rest);
    return pdu;
  }
  bool digest_ok = true;

  // Nothing arrives within a second of virtual time.
  bool silent() {
    auto done = std::make_shared<bool>(false);
    auto watch = [](io::Stream& stream, std::shared_ptr<std::vector<uint8_t>> into,
                    std::shared_ptr<bool> arrived) -> io::Task<void> {
      (void)co_await io::read_exactly(stream, std::as_writable_bytes(std::span(*into)));
      *arrived = true;
    };
    auto pending = std::make_shared<std::vector<uint8_t>>(kHeaderBytes);
    boost::asio::co_spawn(sim_.context(), watch(*stream_, pending, done), boost::asio::detached);
    sim_.run_until([&] { return *done; }, std::chrono::seconds(1));
    return !*done;
  }

  Header command(std::vector<uint8_t> cdb, uint32_t expected, uint8_t flags) {
    Header h;
    h.set_opcode(Opcode::scsi_command, flags);
    h.set_lun(format_lun(0));
    h.set_task_tag(next_tag++);
    h.set_word(20, expected);
    h.set_word(24, cmd_sn++);
    std::copy(cdb.begin(), cdb.end(), &h.raw[32]);
    return h;
  }
  static constexpr uint8_t kFinal = 0x80, kRead = 0x40, kWrite = 0x20;

  static std::vector<uint8_t> rw16(uint8_t opcode, uint64_t lba, uint32_t blocks) {
    std::vector<uint8_t> cdb(16);
    cdb[0] = opcode;
    put64(&cdb[2], lba);
    put32(&cdb[10], blocks);
    return cdb;
  }

  Pdu run(std::vector<uint8_t> cdb, uint32_t expected = 0, uint8_t direction = 0, ConstBytes data = {}) {
    send(command(std::move(cdb), expected, static_cast<uint8_t>(kFinal | direction)), data);
    return receive();
  }
  // Unit attentions out of the way.
  void ready() {
    while (run({0, 0, 0, 0, 0, 0}).status() != 0) {
    }
  }
  Pdu write(uint64_t lba, ConstBytes data) {
    return run(rw16(0x8a, lba, static_cast<uint32_t>(data.size() / 512)), static_cast<uint32_t>(data.size()), kWrite,
               data);
  }
  Pdu read(uint64_t lba, uint32_t blocks) { return run(rw16(0x88, lba, blocks), blocks * 512, kRead); }
  Pdu sync() { return run(rw16(0x91, 0, 0)); }

  Header data_out(const Pdu& r2t, uint32_t sn, uint32_t offset, bool final) {
    Header h;
    h.set_opcode(Opcode::data_out, final ? 0x80 : 0);
    h.set_lun(r2t.header.lun());
    h.set_task_tag(r2t.header.task_tag());
    h.set_transfer_tag(r2t.header.transfer_tag());
    h.set_word(36, sn);
    h.set_word(40, offset);
    return h;
  }

  Pdu manage(uint8_t function, uint32_t referenced = kReservedTag, uint32_t referenced_sn = 0) {
    Header h;
    h.set_opcode(Opcode::task_management, static_cast<uint8_t>(0x80 | function));
    h.raw[0] |= 0x40;
    h.set_lun(format_lun(0));
    h.set_task_tag(next_tag++);
    h.set_word(20, referenced);
    h.set_word(24, cmd_sn);
    h.set_word(32, referenced_sn);
    send(h);
    return receive();
  }

  void close() { stream_->close(); }

 private:
  static void append_digest(std::vector<uint8_t>& to, ConstBytes bytes, ConstBytes padding) {
    to.resize(to.size() + 4);
    put_crc32c(&to[to.size() - 4], crc32c_add(crc32c_add(crc32c_begin(), bytes), padding));
  }
  io::Task<void> write_all(ConstBytes bytes) {
    const io::ConstBytes piece = std::as_bytes(bytes);
    (void)co_await stream_->write(std::span(&piece, 1));
  }
  bool read(std::vector<uint8_t>& into, Duration limit) {
    struct State {
      bool done = false;
      bool ok = false;
    };
    auto state = std::make_shared<State>();
    auto work = [](io::Stream& stream, std::span<std::byte> bytes, std::shared_ptr<State> s) -> io::Task<void> {
      s->ok = (co_await io::read_exactly(stream, bytes)).has_value();
      s->done = true;
    };
    boost::asio::co_spawn(sim_.context(), work(*stream_, std::as_writable_bytes(std::span(into)), state),
                          boost::asio::detached);
    sim_.run_until([&] { return state->done; }, limit);
    return state->ok;
  }

  io::Simulation& sim_;
  std::unique_ptr<io::Stream> stream_;
};

}  // namespace pnfs::target
