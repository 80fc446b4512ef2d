#include "testbed/target/login.hpp"

#include <algorithm>

#include "testbed/target/negotiation.hpp"

namespace pnfs::target {

namespace {

constexpr uint8_t kTransit = 0x80;
constexpr uint8_t kContinue = 0x40;

std::string_view value_of(const std::vector<KeyValue>& keys, std::string_view key) {
  const auto it = std::find_if(keys.begin(), keys.end(), [&](const KeyValue& kv) { return kv.key == key; });
  return it == keys.end() ? std::string_view() : it->value;
}

// Keys that only name things; they are answered, if at all, where they are used.
bool is_declaration(std::string_view key) {
  return key == "InitiatorName" || key == "InitiatorAlias" || key == "TargetName" || key == "SessionType";
}

bool is_security_key(std::string_view key) {
  return key == "AuthMethod" || key.starts_with("CHAP_");
}

}  // namespace

LoginReply LoginMachine::fail(LoginStatus status, std::string reason) const {
  LoginReply reply;
  reply.flags = static_cast<uint8_t>(static_cast<uint8_t>(stage_) << 2);
  reply.status = status;
  reply.reason = std::move(reason);
  return reply;
}

std::optional<LoginReply> LoginMachine::check_header(const Header& header) {
  const uint8_t flags = header.raw[1];
  const uint8_t current = flags >> 2 & 3;
  const uint8_t next = flags & 3;
  if (header.raw[3] != 0) return fail(LoginStatus::unsupported_version, "only iSCSI version 0 exists");
  if (current > 1) return fail(LoginStatus::invalid_request, "a login request in neither login stage");
  if ((flags & kTransit) && (flags & kContinue))
    return fail(LoginStatus::invalid_request, "transit asked for in the middle of a text (RFC 7143 11.12.2)");
  if ((flags & kTransit) && (next == 2 || next <= current))
    return fail(LoginStatus::invalid_request, "transit to a stage that does not follow");
  if (first_) {
    stage_ = static_cast<Stage>(current);
    std::copy_n(&header.raw[8], 6, outcome_.isid.begin());
    outcome_.cid = get16(&header.raw[20]);
    return std::nullopt;
  }
  if (static_cast<Stage>(current) != stage_) return fail(LoginStatus::invalid_request, "not the stage we are in");
  if (!std::equal(outcome_.isid.begin(), outcome_.isid.end(), &header.raw[8]))
    return fail(LoginStatus::invalid_request, "the ISID changed during login");
  return std::nullopt;
}

std::optional<LoginReply> LoginMachine::identify(const std::vector<KeyValue>& keys) {
  const std::string_view initiator = value_of(keys, "InitiatorName");
  const std::string_view type = value_of(keys, "SessionType");
  const std::string_view target = value_of(keys, "TargetName");
  if (initiator.empty()) return fail(LoginStatus::missing_parameter, "the first request names no InitiatorName");
  if (initiator.size() > 223)
    return fail(LoginStatus::initiator_error, "InitiatorName is longer than 223 bytes (RFC 7143 4.2.7.1)");
  outcome_.initiator = normal_name(initiator);
  outcome_.initiator_alias = value_of(keys, "InitiatorAlias").substr(0, 255);
  if (type == "Discovery") {
    outcome_.discovery = true;
    rules_ = &directory_.discovery();
    return std::nullopt;
  }
  if (!type.empty() && type != "Normal")
    return fail(LoginStatus::session_type_not_supported, fmt::format("SessionType '{}' is unknown", type));
  if (target.empty()) return fail(LoginStatus::missing_parameter, "a normal session names no TargetName");
  outcome_.target = normal_name(target);
  rules_ = directory_.find(outcome_.target);
  if (!rules_) return fail(LoginStatus::not_found, fmt::format("there is no target '{}' here", target));
  if (!directory_.allowed(outcome_.target, outcome_.initiator))
    return fail(LoginStatus::authorization_failure,
                fmt::format("initiator '{}' is not allowed at '{}'", outcome_.initiator, outcome_.target));
  return std::nullopt;
}

std::optional<LoginReply> LoginMachine::choose_method(std::string_view offered, std::string& out) {
  const auto list = split_list(offered);
  const auto offers = [&](std::string_view method) {
    return std::find(list.begin(), list.end(), method) != list.end();
  };
  if (!rules_->incoming.empty()) {
    if (!offers("CHAP"))
      return fail(LoginStatus::authentication_failure, "this target needs CHAP and the initiator does not offer it");
    chap_ = Chap::want_algorithm;
    append_text(out, "AuthMethod", "CHAP");
    return std::nullopt;
  }
  if (!offers("None"))
    return fail(LoginStatus::authentication_failure, "the initiator insists on authentication; no user is configured");
  append_text(out, "AuthMethod", "None");
  authenticated_ = true;
  return std::nullopt;
}

std::optional<LoginReply> LoginMachine::chap_challenge(std::string_view algorithms, std::string& out) {
  const auto algorithm = choose_chap_algorithm(algorithms);
  if (!algorithm) return fail(LoginStatus::authentication_failure, "no CHAP algorithm in common");
  chap_algorithm_ = *algorithm;
  chap_identifier_ = static_cast<uint8_t>(random_.next());
  random_.fill(std::as_writable_bytes(std::span(chap_challenge_)));
  append_text(out, "CHAP_A", std::to_string(static_cast<int>(*algorithm)));
  append_text(out, "CHAP_I", std::to_string(chap_identifier_));
  append_text(out, "CHAP_C", format_binary(chap_challenge_));
  chap_ = Chap::want_response;
  return std::nullopt;
}

std::optional<LoginReply> LoginMachine::chap_verify(const std::vector<KeyValue>& keys, std::string& out) {
  const std::string_view name = value_of(keys, "CHAP_N");
  const auto response = parse_binary(value_of(keys, "CHAP_R"), 64);
  if (name.empty() || !response) return fail(LoginStatus::authentication_failure, "no usable CHAP_N and CHAP_R");
  bool proven = false;
  for (const ChapUser& user : rules_->incoming) {
    if (user.name != name) continue;
    proven |= equal_secretly(chap_response(chap_algorithm_, chap_identifier_, user.secret, chap_challenge_), *response);
  }
  if (!proven)
    return fail(LoginStatus::authentication_failure, fmt::format("CHAP user '{}' has not proven itself", name));
  const std::string_view challenge_text = value_of(keys, "CHAP_C");
  if (!challenge_text.empty()) {
    if (!rules_->outgoing)
      return fail(LoginStatus::authentication_failure,
                  "the initiator wants us to authenticate; no OutgoingUser is set");
    const auto identifier = parse_number(value_of(keys, "CHAP_I"), 0, 255);
    const auto challenge = parse_binary(challenge_text, 1024);
    if (!identifier || !challenge || challenge->empty())
      return fail(LoginStatus::authentication_failure, "no usable CHAP_I and CHAP_C");
    // RFC 7143 9.2.1: an initiator that sends our own challenge back wants us to answer it for it.
    if (std::ranges::equal(*challenge, chap_challenge_))
      return fail(LoginStatus::authentication_failure, "our own CHAP challenge came back");
    const auto ours =
        chap_response(chap_algorithm_, static_cast<uint8_t>(*identifier), rules_->outgoing->secret, *challenge);
    append_text(out, "CHAP_N", rules_->outgoing->name);
    append_text(out, "CHAP_R", format_binary(ours));
  }
  chap_ = Chap::done;
  authenticated_ = true;
  return std::nullopt;
}

std::optional<LoginReply> LoginMachine::security(const std::vector<KeyValue>& keys, std::string& out) {
  if (const auto offered = value_of(keys, "AuthMethod"); !offered.empty()) {
    if (chap_ != Chap::none) return fail(LoginStatus::initiator_error, "AuthMethod was settled before");
    return choose_method(offered, out);
  }
  if (const auto algorithms = value_of(keys, "CHAP_A"); !algorithms.empty()) {
    if (chap_ != Chap::want_algorithm) return fail(LoginStatus::initiator_error, "CHAP_A is out of order");
    return chap_challenge(algorithms, out);
  }
  if (!value_of(keys, "CHAP_R").empty() || !value_of(keys, "CHAP_N").empty()) {
    if (chap_ != Chap::want_response) return fail(LoginStatus::initiator_error, "CHAP_N and CHAP_R are out of order");
    return chap_verify(keys, out);
  }
  return std::nullopt;
}

std::optional<LoginReply> LoginMachine::operational(const std::vector<KeyValue>& keys, std::string& out) {
  for (const KeyValue& kv : keys) {
    if (is_declaration(kv.key) || is_security_key(kv.key)) continue;
    const auto done = negotiate(kv, rules_->offer, outcome_.parameters, out);
    if (!done) return fail(LoginStatus::initiator_error, done.error().reason);
  }
  return std::nullopt;
}

LoginReply LoginMachine::on_request(const Header& header, ConstBytes text) {
  if (auto bad = check_header(header)) return *bad;
  if (pending_text_.size() + text.size() > kMaxTextBytes)
    return fail(LoginStatus::initiator_error, "login text longer than 64 KiB");
  pending_text_.append(reinterpret_cast<const char*>(text.data()), text.size());
  LoginReply reply;
  reply.flags = static_cast<uint8_t>(static_cast<uint8_t>(stage_) << 2);
  if (header.raw[1] & kContinue) return reply;  // RFC 7143 6.2: an empty answer asks for the rest

  const std::string whole = std::exchange(pending_text_, {});
  const auto keys = parse_text(whole);
  if (!keys) return fail(LoginStatus::initiator_error, keys.error().reason);
  if (first_) {
    if (auto bad = identify(*keys)) return *bad;
    first_ = false;
    if (!outcome_.discovery) {
      append_text(reply.text, "TargetPortalGroupTag", std::to_string(kPortalGroup));  // RFC 7143 13.9
      if (!rules_->alias.empty()) append_text(reply.text, "TargetAlias", rules_->alias);
    }
  }
  if (stage_ == Stage::security) {
    if (auto bad = security(*keys, reply.text)) return *bad;
  }
  // Operational keys may come in the security stage too (RFC 7143 6.3.2); digests then start after login as always.
  if (auto bad = operational(*keys, reply.text)) return *bad;

  const bool needs_proof = !rules_->incoming.empty() && !authenticated_;
  if (stage_ == Stage::operational && needs_proof)
    return fail(LoginStatus::authentication_failure, "this target needs CHAP and the initiator skipped it");
  if (stage_ == Stage::operational && !declared_) {
    declared_ = true;
    outcome_.parameters.max_recv_data_bytes = rules_->offer.max_recv_data_bytes;
    append_text(reply.text, "MaxRecvDataSegmentLength", std::to_string(rules_->offer.max_recv_data_bytes));
  }
  if (!(header.raw[1] & kTransit)) return reply;
  if (needs_proof) {
    // While CHAP runs the answer is "not yet"; once nothing runs, the initiator has skipped it.
    if (chap_ == Chap::none)
      return fail(LoginStatus::authentication_failure, "this target needs CHAP and the initiator skipped it");
    return reply;
  }
  const uint8_t next = header.raw[1] & 3;
  reply.flags |= kTransit | next;
  stage_ = static_cast<Stage>(next);
  if (stage_ == Stage::full_feature) {
    outcome_.parameters.first_burst_bytes =
        std::min(outcome_.parameters.first_burst_bytes, outcome_.parameters.max_burst_bytes);
    reply.complete = true;
  }
  return reply;
}

}  // namespace pnfs::target
