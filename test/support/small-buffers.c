// For tests: asks for small buffers of a socket. The system has a least size, and doubles.
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

typedef struct env *napi_env;
typedef struct value *napi_value;
typedef struct info *napi_callback_info;

int napi_get_cb_info(napi_env, napi_callback_info, size_t *, napi_value *, napi_value *, void **);
int napi_get_value_int32(napi_env, napi_value, int32_t *);
int napi_create_function(napi_env, const char *, size_t, napi_value (*)(napi_env, napi_callback_info), void *, napi_value *);
int napi_set_named_property(napi_env, napi_value, const char *, napi_value);

static napi_value shrink(napi_env env, napi_callback_info info) {
  size_t argc = 2;
  napi_value argv[2];
  int32_t fd = -1, size = 1;
  if (napi_get_cb_info(env, info, &argc, argv, NULL, NULL) || napi_get_value_int32(env, argv[0], &fd) ||
      napi_get_value_int32(env, argv[1], &size))
    return NULL;
  setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  return NULL;
}

napi_value napi_register_module_v1(napi_env env, napi_value exports) {
  napi_value function;
  if (!napi_create_function(env, "shrink", 6, shrink, NULL, &function))
    napi_set_named_property(env, exports, "shrink", function);
  return exports;
}
