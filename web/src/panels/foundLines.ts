/** The lines of the journal that hold some words: those that the page has at once, older ones from the node, page by page. */
import { computed, ref, shallowRef, watch } from 'vue'
import { api } from '../api/client'
import type { Cursor, Entry } from '../api/types'
import { entriesUntil } from '../replay/past'
import { linesHere } from '../shell/find'
import type { Shell } from '../shell/shell'
import { inOrder, isRepeat } from '../store/journal'

/** Lines that are asked for at a time. */
export const FOUND_PAGE = 100
/** So long a moment of the past stands before the node is asked for its lines: not at each step of a replay. */
export const MOMENT_WAIT_MS = 500

export function useFoundLines(shell: Shell) {
  const { desk, words_wanted } = shell
  const older = shallowRef<readonly Entry[]>([])
  /** The last line that the node gave; behind it may be more. Null: there are none, or nobody has asked yet. */
  const last = ref<Cursor | null>(null)
  const asking = ref(false)
  let turn = 0

  /** Asks for the lines behind `before`, those that had happened by the moment that is shown; `kept` stand beside them. */
  async function ask(before: Cursor, kept: readonly Entry[]): Promise<void> {
    const mine = ++turn
    asking.value = true
    await desk.attempt(async () => {
      const rows = await api.searchEntries(words_wanted.value, FOUND_PAGE, { before, until_ms: desk.past.value?.at_ms ?? null })
      if (mine !== turn) return
      older.value = [...kept, ...rows.filter((row) => !isRepeat(row))]
      last.value = rows.length < FOUND_PAGE ? null : rows[rows.length - 1].cursor
    })
    if (mine === turn) asking.value = false
  }
  const readOn = () => ask(last.value ?? '', older.value)

  watch(words_wanted, (words) => {
    turn++
    older.value = []
    last.value = null
    asking.value = false
    if (words) void ask('', [])
  }, { immediate: true })
  // What was found stays until the lines of the other moment are there: a list that empties at every step cannot be read.
  watch(() => desk.past.value?.at_ms ?? null, (_moment, _before, onCleanup) => {
    if (!words_wanted.value) return
    const timer = setTimeout(() => void ask('', []), MOMENT_WAIT_MS)
    onCleanup(() => clearTimeout(timer))
  })

  /** Old to new, as the journal stands. */
  const lines = computed(() => {
    if (!words_wanted.value) return []
    const found = new Map([...older.value, ...linesHere(shell, words_wanted.value)].map((entry) => [entry.id, entry]))
    const past = desk.past.value
    return (past ? entriesUntil([...found.values()], past.at_ms) : [...found.values()]).sort(inOrder)
  })
  return { lines, asking, has_more: computed(() => last.value !== null), readOn }
}
