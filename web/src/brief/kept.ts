/** The brief of this page, kept on this machine, and which of its steps is presented. */
import { ref, watch } from 'vue'
import { readBrief, type BriefStep } from './brief'

const KEY = 'aquila.brief'
export const steps = ref<BriefStep[]>(readBrief(localStorage.getItem(KEY)))
watch(steps, (now) => localStorage.setItem(KEY, JSON.stringify(now)), { deep: true })
/** Null: none. */
export const presented = ref<number | null>(null)
