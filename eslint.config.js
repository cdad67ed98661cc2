import js from '@eslint/js';
import { defineConfig, globalIgnores } from 'eslint/config';
import ts from 'typescript-eslint';

import { workspace } from './tools/eslint/index.js';

export default defineConfig([
  globalIgnores([
    '**/dist/',
    '**/coverage/',
    '**/.turbo/',
    'packages/reference-model/model/onnx/',
    '**/src/generated/*.js',
    'results/',
  ]),
  js.configs.recommended,
  {
    linterOptions: { reportUnusedDisableDirectives: 'error' },
  },
  {
    files: ['**/*.{js,mjs}'],
    languageOptions: {
      globals: { console: 'readonly', process: 'readonly', URL: 'readonly', Buffer: 'readonly' },
    },
  },
  {
    files: ['**/*.ts'],
    extends: [ts.configs.recommendedTypeChecked],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
  {
    files: ['{packages,apps}/*/*/**/*.{ts,js,mjs}'],
    plugins: { workspace },
    rules: { 'workspace/dependency-direction': 'error' },
  },
  {
    // f32, i32 and usize are all `number` to TypeScript, and different types to AssemblyScript
    files: ['packages/backend-*/assembly/**/*.ts'],
    rules: { '@typescript-eslint/no-unnecessary-type-assertion': 'off' },
  },
  {
    files: ['packages/{core,backend-*}/{src,assembly,worker,scripts}/**/*.{ts,js,mjs}'],
    plugins: { workspace },
    rules: { 'workspace/strategy-names': 'error' },
  },
]);
