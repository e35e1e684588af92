/** Who is shown by somebody else: members of fused tracks have no symbol of their own while the track is believed. */
import type { TrackStore } from '../store/tracks'

/** Ids of entities that a fused track stands for. A track that is stale stands for nobody. */
export function membersOf(store: TrackStore, now_ms: number): Set<string> {
  const found = new Set<string>()
  store.meta.forEach((meta, h) => {
    if (!meta?.members?.length || store.age(h, now_ms) === 'stale') return
    for (const id of meta.members) if (id !== meta.id) found.add(id)
  })
  return found
}
