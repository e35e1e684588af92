/** The lines of the journal that hold some words: those that the page has at once, older ones from the node, page by page. */
import { computed, ref, shallowRef, watch } from 'vue'
import { api } from '../api/client'
import type { Cursor, Entry } from '../api/types'
import { linesHere } from '../shell/find'
import type { Shell } from '../shell/shell'
import { inOrder } from '../store/journal'

/** Lines that are asked for at a time. */
export const FOUND_PAGE = 100

export function useFoundLines(shell: Shell) {
  const { desk, words_wanted } = shell
  const older = shallowRef<readonly Entry[]>([])
  /** The last line that the node gave; behind it may be more. Null: there are none, or nobody has asked yet. */
  const last = ref<Cursor | null>(null)
  const asking = ref(false)
  let turn = 0

  async function readOn(): Promise<void> {
    const mine = ++turn
    const before = last.value ?? ''
    asking.value = true
    await desk.attempt(async () => {
      const rows = await api.searchEntries(words_wanted.value, FOUND_PAGE, before)
      if (mine !== turn) return
      older.value = [...older.value, ...rows]
      last.value = rows.length < FOUND_PAGE ? null : rows[rows.length - 1].cursor
    })
    if (mine === turn) asking.value = false
  }
  watch([words_wanted, desk.past], ([words, past]) => {
    turn++
    older.value = []
    last.value = null
    asking.value = false
    // Of the past the page has the lines itself: the node would find what was written since, too.
    if (words && !past) void readOn()
  }, { immediate: true })

  /** Old to new, as the journal stands. */
  const lines = computed(() => {
    if (!words_wanted.value) return []
    const found = new Map([...older.value, ...linesHere(shell, words_wanted.value)].map((entry) => [entry.id, entry]))
    return [...found.values()].sort(inOrder)
  })
  return { lines, asking, has_more: computed(() => last.value !== null), readOn }
}
