/** Encodes the stream's binary frames; the stub's and the tests' counterpart of frame.ts. */

function header(kind, mask, sequence, count, base_time_ms, bytes) {
  const frame = Buffer.alloc(24 + bytes)
  frame.write('AQC1', 0, 'ascii')
  frame.writeUInt8(1, 4)
  frame.writeUInt8(kind, 5)
  frame.writeUInt16LE(mask, 6)
  frame.writeUInt32LE(sequence, 8)
  frame.writeUInt32LE(count, 12)
  frame.writeBigUInt64LE(BigInt(base_time_ms), 16)
  return frame
}

/** Tracks: {h, lat, lon, alt, speed, course, seen_ms}; null alt, speed or course = unknown. */
export function encodePositions(tracks, sequence, base_time_ms) {
  const n = tracks.length
  const frame = header(1, 0x7f, sequence, n, base_time_ms, n * 20)
  const at = [24, 24 + 4 * n, 24 + 8 * n, 24 + 12 * n, 24 + 14 * n, 24 + 16 * n, 24 + 18 * n]
  tracks.forEach((t, i) => {
    const age_ds = Math.round((base_time_ms - t.seen_ms) / 100)
    frame.writeUInt32LE(t.h, at[0] + 4 * i)
    frame.writeInt32LE(Math.round(t.lat * 1e7), at[1] + 4 * i)
    frame.writeInt32LE(Math.round(t.lon * 1e7), at[2] + 4 * i)
    frame.writeInt16LE(t.alt == null ? -32768 : Math.round(t.alt), at[3] + 2 * i)
    frame.writeUInt16LE(t.speed == null ? 65535 : Math.round(t.speed * 10), at[4] + 2 * i)
    frame.writeUInt16LE(t.course == null ? 65535 : Math.round(t.course * 100) % 36000, at[5] + 2 * i)
    frame.writeUInt16LE(Math.max(0, Math.min(65535, age_ds)), at[6] + 2 * i)
  })
  return frame
}

export function encodeMetas(metas, sequence, base_time_ms) {
  const text = Buffer.from(JSON.stringify(metas), 'utf-8')
  return Buffer.concat([header(2, 0, sequence, metas.length, base_time_ms, 0), text])
}

export function encodeRemove(handles, sequence, base_time_ms) {
  const frame = header(3, 0, sequence, handles.length, base_time_ms, handles.length * 4)
  handles.forEach((h, i) => frame.writeUInt32LE(h, 24 + 4 * i))
  return frame
}

/** Kind 4 (snapshot begins) or 5 (heartbeat). */
export function encodeSignal(kind, sequence, base_time_ms) {
  return header(kind, 0, sequence, 0, base_time_ms, 0)
}
