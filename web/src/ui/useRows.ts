/** Which rows of a long list are in sight, all of one height; only those exist on the page. */
import { computed, onScopeDispose, ref, watch, type Ref } from 'vue'

/** Rows kept ready beyond either edge, so that a fast scroll shows no gaps. */
const SPARE = 6

/** First row and the one behind the last, for a scrolled window. */
export function rowsInSight(top_px: number, height_px: number, row_px: number, count: number): [number, number] {
  const first = Math.max(0, Math.floor(top_px / row_px) - SPARE)
  const end = Math.min(count, Math.ceil((top_px + height_px) / row_px) + SPARE)
  return [Math.min(first, count), Math.max(end, Math.min(first, count))]
}

/** `head_px` is what stands above the rows inside the scroller and stays in sight. */
export function useRows(count: Readonly<Ref<number>>, row_px: number, scroller: Readonly<Ref<HTMLElement | null>>, head_px = 0) {
  const top = ref(0)
  const height = ref(0)
  const follow = () => (top.value = scroller.value?.scrollTop ?? 0)
  const resized = new ResizeObserver(() => {
    height.value = scroller.value?.clientHeight ?? 0
    follow()
  })
  watch(scroller, (box, before) => {
    before?.removeEventListener('scroll', follow)
    resized.disconnect()
    if (!box) return
    box.addEventListener('scroll', follow, { passive: true })
    resized.observe(box)
  })
  onScopeDispose(() => resized.disconnect())

  const first = computed(() => rowsInSight(top.value, height.value, row_px, count.value)[0])
  const end = computed(() => rowsInSight(top.value, height.value, row_px, count.value)[1])
  /** Brings a row into sight, moving no more than needed. */
  function show(index: number): void {
    const box = scroller.value
    if (!box) return
    const [above, below] = [index * row_px, (index + 1) * row_px + head_px]
    if (above < box.scrollTop) box.scrollTop = above
    else if (below > box.scrollTop + box.clientHeight) box.scrollTop = below - box.clientHeight
  }
  return { first, end, total_px: computed(() => count.value * row_px), show }
}
