select matched.*, monetary as sales_before_returns
from matched
