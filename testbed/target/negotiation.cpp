#include "testbed/target/negotiation.hpp"

#include <algorithm>

namespace pnfs::target {

namespace {

struct Negotiator {
  const KeyValue& offered;
  std::string& out;

  // Both sides' smaller value.
  Result<void> least(uint32_t ours, uint32_t low, uint32_t high, uint32_t& result) const {
    const auto theirs = parse_number(offered.value, low, high);
    if (!theirs) return theirs.error().with_context(offered.key);
    result = std::min(*theirs, ours);
    append_text(out, offered.key, std::to_string(result));
    return {};
  }

  Result<void> greatest(uint32_t ours, uint32_t low, uint32_t high, uint32_t& result) const {
    const auto theirs = parse_number(offered.value, low, high);
    if (!theirs) return theirs.error().with_context(offered.key);
    result = std::max(*theirs, ours);
    append_text(out, offered.key, std::to_string(result));
    return {};
  }

  Result<bool> yes_or_no() const {
    if (offered.value == "Yes") return true;
    if (offered.value == "No") return false;
    return error(Errc::protocol, "{}: '{}' is neither Yes nor No", offered.key, offered.value);
  }

  // RFC 7143 6.2.2: Yes if either (or) or only if both (and) want it.
  Result<void> either(bool ours, bool& result) const {
    const auto theirs = yes_or_no();
    if (!theirs) return theirs.error();
    result = *theirs || ours;
    append_text(out, offered.key, result ? "Yes" : "No");
    return {};
  }

  Result<void> both(bool ours, bool& result) const {
    const auto theirs = yes_or_no();
    if (!theirs) return theirs.error();
    result = *theirs && ours;
    append_text(out, offered.key, result ? "Yes" : "No");
    return {};
  }

  // The initiator's list is in its order of preference.
  Result<void> digest(DigestOffer ours, bool& result) const {
    for (const std::string_view choice : split_list(offered.value)) {
      const bool crc = choice == "CRC32C";
      if (!crc && choice != "None") continue;
      if (crc ? ours == DigestOffer::none : ours == DigestOffer::crc32c) continue;
      result = crc;
      append_text(out, offered.key, choice);
      return {};
    }
    return error(Errc::protocol, "{}: none of '{}' is acceptable here", offered.key, offered.value);
  }
};

constexpr uint32_t kMaxSegment = 0xffffff;

}  // namespace

Result<void> negotiate(const KeyValue& offered, const SessionOffer& ours, SessionParameters& parameters,
                       std::string& out) {
  const Negotiator n{offered, out};
  const std::string_view key = offered.key;
  if (key == "HeaderDigest") return n.digest(ours.header_digest, parameters.header_digest);
  if (key == "DataDigest") return n.digest(ours.data_digest, parameters.data_digest);
  if (key == "InitialR2T") return n.either(ours.initial_r2t, parameters.initial_r2t);
  if (key == "ImmediateData") return n.both(ours.immediate_data, parameters.immediate_data);
  if (key == "MaxBurstLength") return n.least(ours.max_burst_bytes, 512, kMaxSegment, parameters.max_burst_bytes);
  if (key == "FirstBurstLength") return n.least(ours.first_burst_bytes, 512, kMaxSegment, parameters.first_burst_bytes);
  if (key == "MaxOutstandingR2T") return n.least(ours.max_outstanding_r2t, 1, 65535, parameters.max_outstanding_r2t);
  if (key == "DefaultTime2Wait") return n.greatest(ours.time_to_wait_s, 0, 3600, parameters.time_to_wait_s);
  if (key == "DefaultTime2Retain") return n.least(ours.time_to_retain_s, 0, 3600, parameters.time_to_retain_s);
  if (key == "MaxRecvDataSegmentLength") {
    // Declarative: it binds us, and is not answered.
    const auto theirs = parse_number(offered.value, 512, kMaxSegment);
    if (!theirs) return theirs.error().with_context(key);
    parameters.max_send_data_bytes = std::min(*theirs, ours.max_send_data_bytes);
    return {};
  }
  uint32_t ignored_number = 0;
  bool ignored_flag = false;
  if (key == "MaxConnections") return n.least(1, 1, 65535, ignored_number);
  if (key == "ErrorRecoveryLevel") return n.least(0, 0, 2, ignored_number);
  if (key == "DataPDUInOrder" || key == "DataSequenceInOrder") return n.either(true, ignored_flag);
  if (key == "IFMarker" || key == "OFMarker") {
    append_text(out, key, "No");  // RFC 7143 13.25: markers are obsolete
    return {};
  }
  if (key == "IFMarkInt" || key == "OFMarkInt") {
    append_text(out, key, "Reject");
    return {};
  }
  if (key == "TaskReporting") {
    append_text(out, key, "RFC3720");
    return {};
  }
  if (key == "iSCSIProtocolLevel") return n.least(1, 0, 31, ignored_number);
  append_text(out, key, "NotUnderstood");  // RFC 7143 6.2
  return {};
}

}  // namespace pnfs::target
