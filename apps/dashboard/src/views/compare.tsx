import { useLocation } from 'preact-iso';
import { Nothing } from '../ui/states.js';

export function ComparePage() {
  const { query } = useLocation();
  return <Nothing>{query.runs}</Nothing>;
}
