export const EXPORT_FORMATS = ['safetensors', 'tfjs', 'tensorboard'] as const;
