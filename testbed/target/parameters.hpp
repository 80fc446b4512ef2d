// What a session was negotiated to be, and what we are ready to offer (RFC 7143 13).
#pragma once

#include <cstdint>

namespace pnfs::target {

// The values a session starts with when the initiator negotiates nothing: the RFC's defaults.
struct SessionParameters {
  bool header_digest = false;
  bool data_digest = false;
  bool initial_r2t = true;
  bool immediate_data = true;
  uint32_t max_recv_data_bytes = 8192;  // what the initiator may send us in one PDU
  uint32_t max_send_data_bytes = 8192;  // what we may send it
  uint32_t max_burst_bytes = 262144;
  uint32_t first_burst_bytes = 65536;
  uint32_t max_outstanding_r2t = 1;
  uint32_t time_to_wait_s = 2;
  uint32_t time_to_retain_s = 0;
};

enum class DigestOffer : uint8_t { none, crc32c, either };

struct SessionOffer {
  DigestOffer header_digest = DigestOffer::either;
  DigestOffer data_digest = DigestOffer::either;
  bool initial_r2t = false;
  bool immediate_data = true;
  uint32_t max_recv_data_bytes = 262144;
  uint32_t max_send_data_bytes = 262144;
  uint32_t max_burst_bytes = 1048576;
  uint32_t first_burst_bytes = 262144;
  uint32_t max_outstanding_r2t = 8;
  uint32_t time_to_wait_s = 2;
  uint32_t time_to_retain_s = 0;
};

}  // namespace pnfs::target
