/** The line that somebody is writing: kept on this machine, and understood by the node while it is typed. */
import { computed, onScopeDispose, ref, shallowRef, watch } from 'vue'
import { ApiError } from '../../api/client'
import type { LineDraft } from '../../api.generated'
import { useDesk } from '../../store/desk'
import { staff } from '../node'
import { chipsOf, confirmedOf, offsetText, type Chip, type Chosen, type Confirmed } from './draft'

const KEPT = 'aquila.draft.line'
/** Longer lines are written as they are. */
const LINE_MAX = 2000
const TYPED_MS = 120

export function useDraft() {
  const desk = useDesk()
  const text = ref(localStorage.getItem(KEPT) ?? '')
  const draft = shallowRef<LineDraft | null>(null)
  const chosen = shallowRef<Chosen>(new Map())
  let timer: ReturnType<typeof setTimeout> | undefined
  let turn = 0

  /** Reads the line as it is now; null when the node cannot say, then it is plain text. */
  async function read(): Promise<LineDraft | null> {
    clearTimeout(timer)
    const [line, mine] = [text.value, ++turn]
    if (draft.value?.line === line) return draft.value
    if (!line.trim() || line.length > LINE_MAX) return (draft.value = null)
    try {
      const answer = await staff.parse(line, offsetText(new Date(desk.now_ms.value).getTimezoneOffset()))
      // A slow answer about an older line must not replace what is known of the newer one.
      if (mine === turn) draft.value = answer
      return answer
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      if (mine === turn) draft.value = null
      return null
    }
  }

  watch(text, (line) => {
    if (line) localStorage.setItem(KEPT, line)
    else localStorage.removeItem(KEPT)
    clearTimeout(timer)
    if (line.trim()) timer = setTimeout(() => void read(), TYPED_MS)
    else clear()
  })
  if (text.value.trim()) void read()
  onScopeDispose(() => clearTimeout(timer))

  function clear(): void {
    turn++
    text.value = ''
    draft.value = null
    chosen.value = new Map()
  }

  const chips = computed(() => (draft.value ? chipsOf(draft.value, chosen.value, desk.now_ms.value) : []))

  function choose(key: string, label: string): void {
    chosen.value = new Map(chosen.value).set(key, label)
  }

  /** Leaves out what is taken over; what was left out already stands as the node read it. */
  function leaveOut(chip: Chip): void {
    const now = new Map(chosen.value)
    if (chip.state === 'left-out') now.delete(chip.key)
    else now.set(chip.key, null)
    chosen.value = now
  }

  async function confirmed(): Promise<Confirmed> {
    const line = text.value.trim()
    const answer = await read()
    return answer ? confirmedOf(answer, chosen.value, desk.now_ms.value) : { text: line }
  }

  return { text, chips, choose, leaveOut, confirmed, clear }
}
