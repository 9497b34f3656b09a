-- A session in Neovim, driven by test_session.py: each step asks the editor itself, never the server behind it.
-- The answers go to the file $ANSWERS as JSON; what goes wrong is the answer `error`.

local answers = {}

local function wait_for(what, condition)
  assert(vim.wait(30000, condition, 20), what .. ' did not come')
end

--- Puts the cursor on the first character of the first place of `words`, counted from `skip` characters into them.
local function go_to(words, skip)
  vim.api.nvim_win_set_cursor(0, { 1, 0 })
  assert(vim.fn.search('\\V' .. vim.fn.escape(words, '\\'), 'cW') > 0, 'the script does not hold ' .. words)
  if skip then vim.cmd('normal! ' .. skip .. 'l') end
end

--- The text that `vim.lsp.buf.hover()` shows in its floating window.
local function hover()
  vim.lsp.buf.hover()
  local window
  wait_for('the hover window', function()
    for _, candidate in ipairs(vim.api.nvim_list_wins()) do
      if vim.api.nvim_win_get_config(candidate).relative ~= '' then window = candidate end
    end
    return window
  end)
  local lines = vim.api.nvim_buf_get_lines(vim.api.nvim_win_get_buf(window), 0, -1, false)
  vim.api.nvim_win_close(window, true)
  return table.concat(lines, '\n')
end

local function diagnostics()
  return vim.tbl_map(function(diagnostic)
    local line = vim.api.nvim_buf_get_lines(0, diagnostic.lnum, diagnostic.lnum + 1, false)[1]
    return {
      severity = diagnostic.severity,
      source = diagnostic.source,
      message = diagnostic.message,
      text = line:sub(diagnostic.col + 1, diagnostic.end_col),
    }
  end, vim.diagnostic.get(0))
end

local function session()
  vim.o.hidden = true
  vim.cmd('filetype on')
  vim.cmd('edit ' .. vim.fn.fnameescape(os.getenv('SCRIPT')))
  wait_for('the server', function()
    local client = vim.lsp.get_active_clients({ bufnr = 0 })[1]
    return client and client.initialized
  end)
  answers.root = vim.lsp.get_active_clients({ bufnr = 0 })[1].config.root_dir

  -- The tables are looked up in the background: a first edit that breaks a name is marked once they are known.
  go_to('"payment_status").isin')
  vim.cmd('normal! 9lx')
  wait_for('the diagnostic', function() return #vim.diagnostic.get(0) > 0 end)
  answers.broken = diagnostics()
  vim.cmd('normal! u')
  wait_for('the end of the diagnostic', function() return #vim.diagnostic.get(0) == 0 end)
  answers.line = vim.api.nvim_get_current_line()

  go_to('"dim_loan"', 1)
  answers.table = hover()
  go_to('repayments = joined')
  answers.frame = hover()

  if vim.lsp.inlay_hint then
    vim.lsp.inlay_hint.enable(true)
    wait_for('the hints', function() return #vim.lsp.inlay_hint.get({ bufnr = 0 }) > 0 end)
    answers.hints = vim.tbl_map(function(hint) return vim.fn.json_encode(hint.inlay_hint.label) end,
      vim.lsp.inlay_hint.get({ bufnr = 0 }))
  end

  local function count(word) return vim.fn.searchcount({ pattern = word, maxcount = 0 }).total end
  local before = count('created_at')
  go_to('"created_at"', 1)
  vim.lsp.buf.rename('made_at')
  wait_for('the new name', function() return count('made_at') > 0 end)
  answers.renamed = { before, count('created_at') }
end

local ok, problem = xpcall(session, debug.traceback)
if not ok then answers.error = problem end
local file = assert(io.open(os.getenv('ANSWERS'), 'w'))
file:write(vim.fn.json_encode(answers))
file:close()
vim.cmd('qall!')
