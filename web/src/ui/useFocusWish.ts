/** Puts the cursor into a field when the shell asks for it by name. */
import { nextTick, watch, type Ref } from 'vue'
import { useShell } from '../shell/shell'

export function useFocusWish(name: string, field: Readonly<Ref<HTMLElement | null>>): void {
  const { wish } = useShell()
  watch(
    wish,
    async (asked) => {
      if (asked?.what !== name) return
      wish.value = null
      await nextTick()
      field.value?.focus()
    },
    // A part that is only now put on the page finds the wish waiting.
    { immediate: true, flush: 'post' },
  )
}
