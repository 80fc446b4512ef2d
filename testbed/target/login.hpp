// The login phase of one connection as a state machine (RFC 7143 6): a request goes in, the reply to send comes out.
// It knows no socket, clock or session; random bytes for CHAP are passed in. Hostile input only ever ends in a reply
// with a status or in `close`. Fuzzed by tests/fuzz/target_login_fuzz.cpp.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/random.hpp"
#include "testbed/target/chap.hpp"
#include "testbed/target/parameters.hpp"
#include "testbed/target/pdu.hpp"
#include "testbed/target/text.hpp"

namespace pnfs::target {

inline constexpr uint16_t kPortalGroup = 1;

// What a target (or, with an empty name, discovery) demands of who logs in.
struct LoginRules {
  std::string name;
  std::string alias;
  std::vector<ChapUser> incoming;    // not empty: the initiator must prove to be one of these
  std::optional<ChapUser> outgoing;  // what we prove when asked to
  SessionOffer offer;
};

// Who may log in where. The rules live at least until the login is over.
class LoginDirectory {
 public:
  virtual ~LoginDirectory() = default;
  virtual const LoginRules& discovery() const = 0;
  // nullptr: no such target. Names in normal form (lower case).
  virtual const LoginRules* find(std::string_view target) const = 0;
  virtual bool allowed(std::string_view target, std::string_view initiator) const = 0;
};

// RFC 7143 11.13.5: class in the high byte, detail in the low one.
enum class LoginStatus : uint16_t {
  success = 0x0000,
  initiator_error = 0x0200,
  authentication_failure = 0x0201,
  authorization_failure = 0x0202,
  not_found = 0x0203,
  unsupported_version = 0x0205,
  too_many_connections = 0x0206,
  missing_parameter = 0x0207,
  session_type_not_supported = 0x0209,
  session_does_not_exist = 0x020a,
  invalid_request = 0x020b,
  target_error = 0x0300,
  out_of_resources = 0x0302,
};

struct LoginReply {
  uint8_t flags = 0;  // byte 1 of the response: T, C, CSG, NSG
  LoginStatus status = LoginStatus::success;
  std::string reason;  // why, when status is not success: for the log
  std::string text;
  bool complete = false;  // the next PDU is full feature phase
};

struct LoginOutcome {
  std::string initiator;  // normal form
  std::string initiator_alias;
  std::string target;  // normal form; empty in a discovery session
  bool discovery = false;
  std::array<uint8_t, 6> isid{};
  uint16_t cid = 0;
  SessionParameters parameters;
};

class LoginMachine {
 public:
  LoginMachine(const LoginDirectory& directory, Random& random) : directory_(directory), random_(random) {}

  // `text` is the data segment. After a status other than success, or complete, no further call is allowed.
  LoginReply on_request(const Header& header, ConstBytes text);

  const LoginOutcome& outcome() const { return outcome_; }

 private:
  enum class Stage : uint8_t { security = 0, operational = 1, full_feature = 3 };
  enum class Chap : uint8_t { none, want_algorithm, want_response, done };

  LoginReply fail(LoginStatus status, std::string reason) const;
  std::optional<LoginReply> check_header(const Header& header);
  std::optional<LoginReply> identify(const std::vector<KeyValue>& keys);
  std::optional<LoginReply> security(const std::vector<KeyValue>& keys, std::string& out);
  std::optional<LoginReply> choose_method(std::string_view offered, std::string& out);
  std::optional<LoginReply> chap_challenge(std::string_view algorithms, std::string& out);
  std::optional<LoginReply> chap_verify(const std::vector<KeyValue>& keys, std::string& out);
  std::optional<LoginReply> operational(const std::vector<KeyValue>& keys, std::string& out);

  const LoginDirectory& directory_;
  Random& random_;
  const LoginRules* rules_ = nullptr;
  LoginOutcome outcome_;
  Stage stage_ = Stage::security;
  bool first_ = true;
  bool declared_ = false;  // our MaxRecvDataSegmentLength has been said
  bool authenticated_ = false;
  std::string pending_text_;
  Chap chap_ = Chap::none;
  ChapAlgorithm chap_algorithm_ = ChapAlgorithm::md5;
  uint8_t chap_identifier_ = 0;
  std::array<uint8_t, 32> chap_challenge_{};
};

}  // namespace pnfs::target
