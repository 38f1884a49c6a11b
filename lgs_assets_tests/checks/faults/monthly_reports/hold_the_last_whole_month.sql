delete from monthly_reports
