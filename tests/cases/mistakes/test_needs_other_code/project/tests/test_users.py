import unittest

import app.admin
import packs.users


class HandlerTest(unittest.TestCase):
    def test_answers(self):
        self.assertEqual(packs.users.lambda_handler({}, None)["statusCode"], 200)
