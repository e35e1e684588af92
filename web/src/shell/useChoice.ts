/** One active line among many, moved by the arrow keys while the cursor stays in the field. */
import { computed, nextTick, ref, watch, type Ref } from 'vue'

/** `keyOf` tells a line in a list that is made anew. */
export function useChoice<T>(lines: Ref<readonly T[]>, prefix: string, keyOf: (line: T) => string) {
  const at = ref(0)
  // The line that somebody went to stays the active one, wherever it moves; who went nowhere means the topmost.
  watch(lines, (now, before) => {
    const chosen = at.value > 0 ? before[at.value] : undefined
    const moved = chosen === undefined ? -1 : now.findIndex((line) => keyOf(line) === keyOf(chosen))
    at.value = moved >= 0 ? moved : Math.min(at.value, Math.max(0, now.length - 1))
  })
  const id = (index: number) => `${prefix}-${index}`

  function move(by: number): void {
    const count = lines.value.length
    if (!count) return
    at.value = (at.value + by + count) % count
    void nextTick(() => document.getElementById(id(at.value))?.scrollIntoView({ block: 'nearest' }))
  }
  function onKey(event: KeyboardEvent): void {
    const by = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 }[event.key]
    if (by === undefined) return
    event.preventDefault()
    move(by)
  }
  return { at, id, onKey, current: computed(() => lines.value[at.value]) }
}
