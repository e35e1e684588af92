/** Whether labels on the map say more than names; kept on this machine. */
import { ref } from 'vue'

const KEY = 'aquila.labels'
export const fullLabels = ref(localStorage.getItem(KEY) === 'full')

export function toggleLabels(): void {
  fullLabels.value = !fullLabels.value
  localStorage.setItem(KEY, fullLabels.value ? 'full' : 'names')
}
