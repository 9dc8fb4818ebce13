import unittest

import packs.users


class HandlerTest(unittest.TestCase):
    def test_answers(self):
        self.assertEqual(packs.users.lambda_handler({}, None)["statusCode"], 404)
