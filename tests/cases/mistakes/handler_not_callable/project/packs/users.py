lambda_handler = {"statusCode": 200}
