// Writes to many sockets in one call. Only what Node-API has had since its first version is
// declared here, as its binary interface is stable: building needs a C compiler and nothing else.
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

typedef struct env *napi_env;
typedef struct value *napi_value;
typedef struct info *napi_callback_info;
typedef napi_value (*napi_callback)(napi_env, napi_callback_info);
enum { ok = 0, int32_array = 5 };

int napi_get_cb_info(napi_env, napi_callback_info, size_t *, napi_value *, napi_value *, void **);
int napi_get_value_int32(napi_env, napi_value, int32_t *);
int napi_get_element(napi_env, napi_value, uint32_t, napi_value *);
int napi_get_typedarray_info(napi_env, napi_value, int *, size_t *, void **, napi_value *, size_t *);
int napi_create_function(napi_env, const char *, size_t, napi_callback, void *, napi_value *);
int napi_set_named_property(napi_env, napi_value, const char *, napi_value);
int napi_throw_type_error(napi_env, const char *, const char *);

/** In a row: descriptor, index of its bytes; then the number of bytes taken, or minus errno. */
enum { fd = 0, bytes_at = 1, taken = 2, cells = 3 };

/** sendBatch(count, rows: Int32Array, buffers: Uint8Array[]): nothing blocks, nothing is signalled. */
static napi_value send_batch(napi_env env, napi_callback_info info) {
  size_t argc = 3, length = 0, size = 0;
  napi_value argv[3], buffer;
  int32_t count = 0;
  int type = -1;
  void *table = NULL, *data = NULL;
  if (napi_get_cb_info(env, info, &argc, argv, NULL, NULL) != ok || argc < 3 ||
      napi_get_value_int32(env, argv[0], &count) != ok || count < 0 ||
      napi_get_typedarray_info(env, argv[1], &type, &length, &table, NULL, NULL) != ok ||
      type != int32_array || (size_t)count > length / cells) {
    napi_throw_type_error(env, NULL, "sendBatch(count, rows, buffers): count rows of three 32-bit integers");
    return NULL;
  }
  int32_t last = -1;
  int32_t *row = table;
  for (int32_t i = 0; i < count; i++, row += cells) {
    // Sockets in a row that get the same bytes name the same buffer.
    if (row[bytes_at] != last) {
      last = row[bytes_at];
      data = NULL;
      if (napi_get_element(env, argv[2], (uint32_t)last, &buffer) != ok ||
          napi_get_typedarray_info(env, buffer, &type, &size, &data, NULL, NULL) != ok)
        data = NULL;
    }
    if (data == NULL || row[fd] < 0) {
      row[taken] = -EBADF;
      continue;
    }
    ssize_t sent = send(row[fd], data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    row[taken] = sent < 0 ? -errno : (int32_t)sent;
  }
  return NULL;
}

int32_t node_api_module_get_api_version_v1(void) { return 8; }

napi_value napi_register_module_v1(napi_env env, napi_value exports) {
  napi_value function;
  if (napi_create_function(env, "sendBatch", 9, send_batch, NULL, &function) == ok)
    napi_set_named_property(env, exports, "sendBatch", function);
  return exports;
}
